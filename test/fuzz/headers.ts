import { createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import * as fc from 'fast-check'
import { ClinkClient } from '../../src/clink/client.ts'
import { ClinkApiError } from '../../src/clink/errors.ts'
import type { Transport } from '../../src/clink/transport.ts'
import { WorkerTransport } from '../../src/clink/worker-transport.ts'
import { listen } from '../support/loopback.ts'
import { sampleCalls } from '../support/sample-calls.ts'
import type { Note, Part } from './part.ts'

const BODY = JSON.stringify({ success: true, data: sampleCalls.check_inbox.data })
const NAMES = [
  'retry-after',
  'date',
  'content-type',
  'content-length',
  'content-encoding',
  'transfer-encoding',
] as const
const OTHERS = [
  'connection',
  'keep-alive',
  'location',
  'set-cookie',
  'upgrade',
  'trailer',
  'x y',
  '',
  '__proto__',
] as const
const name = fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...NAMES) }, fc.constantFrom(...OTHERS))
const VALUES = [
  '',
  '0',
  '1',
  '-1',
  '1e3',
  '99999999999999999999',
  '9'.repeat(400),
  '0x10',
  ' 5 ',
  '5, 7',
  'soon',
  'NaN',
  'Infinity',
  'Thu, 01 Jan 1970 00:00:00 GMT',
  'Fri, 31 Dec 9999 23:59:59 GMT',
  'Thu, 99 Foo 2026 99:99:99 GMT',
  'now',
  'application/json',
  'text/html; charset=x',
  'gzip',
  'br',
  'deflate',
  'zstd',
  'identity',
  'gzip, gzip',
  'chunked',
  'close',
  'keep-alive',
  'timeout=0',
  'timeout=99999999999',
  'https://a:b@c/?key',
  '//',
  'x'.repeat(20_000),
]
const value = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...VALUES) },
  fc.string({ unit: 'grapheme-ascii', maxLength: 20 }),
  fc.constantFrom('\0', '\x7f', '\xff', 'a\rb', 'a\nb: c'),
)
const answer = fc.record({
  status: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('HTTP/1.1 200 OK', 'HTTP/1.1 429 Slow', 'HTTP/1.1 503 Away') },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        'HTTP/1.1 302 There',
        'HTTP/1.1 204 None',
        'HTTP/1.1 304 Same',
        'HTTP/1.1 100 Go',
        'HTTP/1.1 101 Other',
        'HTTP/1.1 103 Hints',
        'HTTP/1.1 999',
        'HTTP/1.1 0 x',
        'HTTP/2 200',
        'HTTP/1.0 200 OK',
        'HTTP/1.1',
        '',
        'SSH-2.0-x',
        `HTTP/1.1 200 ${'x'.repeat(20_000)}`,
        'HTTP/1.1 200\x00OK',
      ),
    },
  ),
  headers: fc.array(fc.tuple(name, value), { maxLength: 3 }),
  /** By how much the length that is told is wrong; null: none is told. */
  lie: fc.option(fc.constantFrom(0, 0, 0, 0, 0, 1, -1, 1_000, -100, 1e12)),
  end: fc.constantFrom(...Array.from({ length: 9 }, () => '\r\n'), '\n', '\r'),
  body: fc.oneof(
    { weight: 3, arbitrary: fc.constant(BODY) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '',
        '0\r\n\r\n',
        'zz\r\n',
        '5\r\nhello\r\n0\r\n\r\n',
        '\x1f\x8b\x08\x00',
        `${BODY}${BODY}`,
      ),
    },
  ),
  line: fc.option(fc.constantFrom('poll' as const, 'claim' as const, 'complete' as const)),
})
type Given = typeof answer extends fc.Arbitrary<infer T> ? T : never

/** Milliseconds that a call may take, and what a busy machine may add to that. */
const TIMEOUT = 1_000
const PATIENCE = 20_000
const GOOD = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(BODY)}\r\n\r\n${BODY}`

/** A server on loopback that says what no server should, over the transports of the worker: an answer, or one kind of error, in time. */
export const headers: Part = {
  name: 'headers',
  open: async (note) => {
    let says = GOOD
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => sockets.delete(socket))
      socket.on('data', () => (says === GOOD ? socket.write(says) : socket.end(says, 'latin1')))
    })
    const url = await listen(server)
    let transport = new WorkerTransport({ url })
    const property = fc.asyncProperty(answer, async (given) => {
      says = textOf(given)
      await call(over(transport, given.line), note)
      says = GOOD
      // Its connection is gone by then, so that the next one need not be asked twice.
      await delay(1)
      // The next answer is read as if nothing had been.
      const after = await inTime(clientOf(over(transport, given.line), 3).checkInbox({ claim: false }))
      if (after.clinks.length !== 1) throw new Error('the next answer is not read')
      // One that is baffled asks otherwise from then on.
      transport.close()
      transport = new WorkerTransport({ url })
    })
    return {
      property,
      end: () => {
        transport.close()
        for (const socket of sockets) socket.destroy()
        server.close()
      },
    }
  },
}

function textOf({ body, end, headers, lie, status }: Given): string {
  const told = lie === null ? [] : [['content-length', String(body.length + lie)] as const]
  const lines = [...told, ...headers].map(([name, value]) => `${name}: ${value}`)
  return [status, ...lines, '', body].join(end)
}

/** Sends everything on a line of the worker's; null: as all other calls go. */
function over(transport: Transport, line: Given['line']): Transport {
  return { send: async ({ line: _, ...rest }) => await transport.send(line === null ? rest : { ...rest, line }) }
}

function clientOf(transport: Transport, attempts: number): ClinkClient {
  return new ClinkClient({ key: 'sk_live_of_a_test', timeout: TIMEOUT, attempts, transport })
}

async function call(transport: Transport, note: Note): Promise<void> {
  try {
    await inTime(clientOf(transport, 1).checkInbox({ claim: false }))
    note('read')
  } catch (error) {
    if (!(error instanceof ClinkApiError)) throw error
    const { failure, retryAfter, status } = error
    if (retryAfter !== undefined && !(retryAfter >= 0)) throw new Error(`a wait of ${retryAfter}`, { cause: error })
    note(failure ?? `refused ${status}`)
  }
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${PATIENCE} ms`)), PATIENCE)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
