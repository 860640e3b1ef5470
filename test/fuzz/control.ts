import { createConnection } from 'node:net'
import * as fc from 'fast-check'
import { answer } from '../../src/control/requests.ts'
import { ControlSocket, controlPath } from '../../src/control/server.ts'
import { isRecord } from '../../src/base/record.ts'
import { AskedBench, SAMPLES } from './asked.ts'
import { mutated, mutations } from './mutate.ts'
import type { Note, Part } from './part.ts'

const request = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.tuple(fc.constantFrom(...SAMPLES), mutations(3)).map(([sample, changes]) => mutated(sample, changes)),
  },
  { weight: 2, arbitrary: fc.json() },
  { weight: 2, arbitrary: fc.string({ unit: 'binary' }) },
  // As much as is taken, and more.
  { weight: 1, arbitrary: fc.constantFrom('x', '[', '"', '\\u').map((text) => text.repeat(500_000)) },
  { weight: 1, arbitrary: fc.constant('x'.repeat(1_100_000)) },
)
const sent = fc.record({
  lines: fc.array(request, { minLength: 1, maxLength: 3 }),
  /** Whether the last line comes to its end. */
  isWhole: fc.boolean(),
})
type Sent = typeof sent extends fc.Arbitrary<infer T> ? T : never

/** Milliseconds that a caller waits. */
const PATIENCE = 20_000

/** Requests over the control socket: each line has its answer, an error says what is wrong, and the next caller is served. */
export const control: Part = {
  name: 'control',
  open: async (note) => {
    const bench = await AskedBench.open()
    const directory = bench.directory.path
    const socket = new ControlSocket({ directory, answer: async (request) => await answer(request, bench.asked) })
    await socket.start()
    const property = fc.asyncProperty(sent, async (given) => {
      await send(controlPath(directory), given, note)
      const [good] = await exchange(controlPath(directory), '{"request":"health.live"}\n')
      if (good === undefined || !good.includes('"answer":{"ok":true'))
        throw new Error(`the next caller is told ${good}`)
      if (bench.hasEnded) throw new Error('the worker has ended')
    })
    const end = async (): Promise<void> => {
      await socket.stop()
      await bench[Symbol.asyncDispose]()
    }
    return { property, end }
  },
}

async function send(path: string, { isWhole, lines }: Sent, note: Note): Promise<void> {
  const text = lines.join('\n')
  const expected = text.split('\n').length - (isWhole ? 0 : 1)
  const answers = await exchange(path, isWhole ? `${text}\n` : text, expected)
  if (answers.length !== expected && !answers.some(isRefusal))
    throw new Error(`${answers.length} answers to ${expected} lines`)
  for (const line of answers) {
    const read: unknown = JSON.parse(line)
    if (!isRecord(read)) throw new Error(`an answer that is no object: ${line}`)
    if ('answer' in read) {
      note('answered')
      continue
    }
    const { code, error } = read
    if (typeof error !== 'string' || error === '') throw new Error(`neither an answer nor an error: ${line}`)
    if (code === 'INTERNAL') throw new Error(`an error of the worker's own: ${line}`)
    note(typeof code === 'string' ? code : error.replace(/[\s,:].*/s, ''))
  }
}

/** After one line that is too long the worker reads no other. */
function isRefusal(line: string): boolean {
  return line.includes('a request has at most')
}

/** So many answers, or what comes until the other side has closed. Then the caller leaves, be it in the middle of a line. */
async function exchange(path: string, text: string, expected = 1): Promise<readonly string[]> {
  const socket = createConnection(path)
  const answers: string[] = []
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no end within ${PATIENCE} ms`)), PATIENCE)
    const isDone = (): boolean => answers.length >= expected || answers.some(isRefusal)
    let read = ''
    socket.setEncoding('utf8').on('data', (text: string) => {
      const lines = (read + text).split('\n')
      read = lines.pop() ?? ''
      answers.push(...lines)
      if (isDone()) resolve()
    })
    socket.on('error', reject).on('close', resolve)
    socket.write(text, () => (isDone() ? resolve() : undefined))
    socket.on('close', () => clearTimeout(late))
  }).finally(() => socket.destroy())
  return answers
}
