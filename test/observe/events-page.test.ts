import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { errorCodes, EXIT } from '../../src/base/coded-error.ts'
import type { Clink } from '../../src/clink/records.ts'
import type { WorkerEvent } from '../../src/events.ts'
import { levelOf, levels } from '../../src/observe/levels.ts'

const root = join(import.meta.dirname, '../..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')

const page = read('docs/events.md')
const types = read('src/events.ts')

const namesIn = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)

/** The rows of the tables whose first column has this head, as cells. */
function rowsUnder(head: string): string[][] {
  const tables = page.split('\n\n').filter((block) => new RegExp(String.raw`^\| ${head} +\|`).test(block))
  return tables.flatMap((table) => {
    const lines = table.trim().split('\n').slice(2)
    return lines.map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
  })
}

/** The first column of the table with this head. */
const listed = (head: string): string[] => rowsUnder(head).map(([, first]) => namesIn(first)[0] ?? '')

/** The texts that a type of a source file is made of. */
function textsOf(type: string, source = types): string[] {
  const [, body = ''] = new RegExp(String.raw`\btype ${type} =([\s\S]*?)\n\n`).exec(source) ?? []
  return [...body.replaceAll(/\/\/.*/g, '').matchAll(/'([\w-]+)'/g)].map(([, text = '']) => text)
}

/** The fields of each event's own type, as its line names them. A handler's own level is the level of its line. */
const fieldsOf = new Map(
  [...types.matchAll(/^  '([\w.]+)': \{([^]*?)\}$/gm)].map(([, event = '', body = '']) => {
    const fields = [...body.replaceAll(/\/\*.*\*\//g, '').matchAll(/(?<=[\s;])(\w+)\??:/g)].map(
      ([, field = '']) => field,
    )
    const named = fields.map((field) => (field === 'clinkId' ? 'clink' : field === 'route' ? 'handler' : field))
    return [event, named.filter((field) => field !== 'level')] as const
  }),
)

const clink: Clink = {
  clink_id: 'msg_1',
  group_id: 'group',
  sender_id: 'user_alice',
  sender_name: 'Alice',
  content: '',
  created_at: '2026-11-24T06:00:00.000Z',
  status: 'claimed',
}
const stopped = { event: 'worker.stopped', completed: 0, released: 0, deadLettered: 0, lost: 0 } as const

/** Events whose level depends on what they say. */
const special: readonly WorkerEvent[] = [
  ...(['debug', 'info', 'warn', 'error'] as const).map(
    (level) => ({ event: 'clink.log', clink, level, message: '' }) as const,
  ),
  { ...stopped, leftBehind: ['msg_1'] },
  { event: 'clink.parked', clink, why: 'cooling', again: true, lease: 1 },
  { event: 'clink.renewalFailed', clink, error: new Error('away'), left: 1, failures: 2 },
  { event: 'clink.settlementFailed', clink, kind: 'complete', error: new Error('away'), wait: 1, failures: 2 },
  { event: 'clink.leftAlone', clinkId: 'msg_1', why: 'malformed' },
  { event: 'clink.leftAlone', clinkId: 'msg_1', why: 'no-route' },
  ...(['done', 'failed', 'reject'] as const).map(
    (outcome) => ({ event: 'clink.ended', clink, outcome, duration: 1 }) as const,
  ),
]

const events = rowsUnder('event').filter(([, name]) => Object.hasOwn(levels, namesIn(name)[0] ?? ''))

it('docs/events.md has each event of the worker once', () => {
  const told = events.map(([, name]) => namesIn(name)[0] ?? '').sort()
  expect(told, 'received: docs/events.md; expected: src/observe/levels.ts').toEqual(Object.keys(levels).sort())
  expect([...fieldsOf.keys()].sort()).toEqual(Object.keys(levels).sort())
})

it('and its fields as src/events.ts has them', () => {
  const told = events.map(([, name, , , fields]) => [namesIn(name)[0], namesIn(fields)])
  const which = 'received: docs/events.md; expected: src/events.ts'
  expect(Object.fromEntries(told), which).toEqual(Object.fromEntries(fieldsOf))
})

it('and each level that its line may have', () => {
  // An event that levelOf treats in another way needs an example above.
  const treated = [...levelOf.toString().matchAll(/event\.event === ["']([\w.]+)["']/g)].map(([, name = '']) => name)
  expect([...new Set(treated)].sort()).toEqual([...new Set(special.map(({ event }) => event))].sort())
  const names: ReadonlySet<string> = new Set([...Object.values(levels), 'debug', 'error'])
  for (const [, name, level, when] of events) {
    const event = namesIn(name)[0] ?? ''
    const usual = Object.entries(levels).filter(([known]) => known === event)
    const may = special.filter((one) => one.event === event).map((one) => levelOf(one))
    const told = namesIn(level).filter((text) => names.has(text))
    expect([event, ...new Set(told)].sort(), when).toEqual(
      [...new Set([event, ...usual.map(([, text]) => text), ...may])].sort(),
    )
  }
})

const [stepLine = ''] = / step: z.*/.exec(read('src/ledger/rows.ts')) ?? []

it.each([
  ['why', [...textsOf('LeftAlone'), ...textsOf('ReleaseCause')]],
  ['cause', textsOf('LostCause')],
  ['outcome', [...textsOf('Outcome'), 'cut-short', 'lost']],
  ['rerun', [...stepLine.matchAll(/'([\w-]+)'/g)].map(([, step = '']) => step)],
  ['failure', [...textsOf('TransportFailure', read('src/clink/transport.ts')), 'unreadable', 'foreign']],
])('and what %s may be', (head, texts) => {
  expect(texts.length).toBeGreaterThan(4)
  expect(listed(head)).toEqual(texts)
})

it('and each line that other parts of the process write, with its level', async () => {
  const told = rowsUnder('event').filter((row) => !events.some(([, name]) => name === row[1]))
  const written = new Map<string, string>()
  for await (const file of glob('**/*.ts', { cwd: join(root, 'src') })) {
    const lines = read(`src/${file}`).matchAll(/\.(trace|debug|info|warn|error|fatal)\(\{ event: '([\w.]+)'/g)
    for (const [, level = '', name = ''] of lines) if (!Object.hasOwn(levels, name)) written.set(name, level)
  }
  expect(Object.fromEntries(told.map(([, name, level]) => [namesIn(name)[0], namesIn(level)[0]]))).toEqual(
    Object.fromEntries(written),
  )
})

it('and each exit code and error code, and no error that nobody raises', async () => {
  const exits = rowsUnder('code').map(([, code, name]) => [namesIn(name)[0], Number(code)])
  expect(Object.fromEntries(exits)).toEqual(EXIT)
  const errors = rowsUnder('error').map(([, name, exit]) => [namesIn(name)[0], Number(exit)])
  expect(Object.fromEntries(errors)).toEqual(errorCodes)
  let source = ''
  for await (const file of glob('**/*.ts', { cwd: join(root, 'src') })) source += read(`src/${file}`)
  expect(Object.keys(errorCodes).filter((code) => !source.includes(`'${code}'`))).toEqual([])
})
