import { expect, test } from 'vitest'
import { ClinkApiError } from '../../src/clink/errors.ts'
import type { Clink } from '../../src/clink/records.ts'
import type { Config } from '../../src/config/config.ts'
import type { WorkerEvent } from '../../src/events.ts'
import { logEvents } from '../../src/observe/events.ts'
import { createLogger } from '../../src/observe/log.ts'

const clink: Clink = {
  clink_id: 'msg_1',
  group_id: '11111111-1111-4111-8111-111111111111',
  group_slug: 'ops',
  sender_id: 'user_alice',
  sender_name: 'Alice',
  content: 'the content of it',
  created_at: '2026-11-24T06:00:00.000Z',
  status: 'claimed',
}

function log(config: Partial<Config['log']>, ...events: WorkerEvent[]): Record<string, unknown>[] {
  const lines: string[] = []
  const settings = { level: 'trace', format: 'json', content: false, ...config } as const
  const logger = createLogger(settings, {
    destination: { write: (text) => void lines.push(text) },
    terminal: false,
    color: false,
    secrets: [],
  })
  const listen = logEvents(logger, { content: settings.content })
  for (const event of events) listen(event)
  return lines.map((line) => JSON.parse(line))
}

test('a fact is one JSON line with time, level, event and the delivery it is about', () => {
  const [line] = log(
    {},
    {
      event: 'clink.completed',
      clink,
      route: 'answer',
      attempt: 2,
      presumed: false,
      duration: 12.4,
      responseId: 'msg_2',
    },
  )
  expect(line).toEqual({
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    level: 'info',
    event: 'clink.completed',
    clink: 'msg_1',
    group: 'ops',
    handler: 'answer',
    attempt: 2,
    duration: 12,
    presumed: false,
    responseId: 'msg_2',
  })
})

test('a group without a slug is named by its id', () => {
  const [line] = log({}, { event: 'clink.started', clink: { ...clink, group_slug: null }, waited: 1 })
  expect(line).toMatchObject({ group: clink.group_id })
})

test('content and responses are shown only where they are asked for, each on one line', () => {
  const claimed = { event: 'clink.claimed', clink, lease: 300_000 } as const
  const completed = { event: 'clink.completed', clink, response: 'the response', presumed: false, duration: 1 } as const
  expect(JSON.stringify(log({}, claimed, completed))).not.toMatch(/the content of it|the response/)
  const [first, second] = log({ content: true }, claimed, completed)
  expect(first).toMatchObject({ content: 'the content of it' })
  expect(second).toMatchObject({ response: 'the response' })
  expect(second).not.toHaveProperty('content')
})

test.each<[string, WorkerEvent]>([
  ['trace', { event: 'poll.succeeded', looked: true, asked: 5, received: 0, claimed: 0, duration: 1 }],
  ['trace', { event: 'poll.succeeded', looked: true, asked: 5, received: 2, claimed: 2, duration: 1 }],
  ['debug', { event: 'clink.renewed', clink, left: 9_000, headroom: 1_000 }],
  ['info', { event: 'clink.claimed', clink, lease: 300_000 }],
  ['debug', { event: 'clink.ended', clink, outcome: 'done', duration: 1 }],
  ['error', { event: 'clink.ended', clink, outcome: 'failed', duration: 1 }],
  ['info', { event: 'clink.ended', clink, outcome: 'release', duration: 1 }],
  ['warn', { event: 'clink.lost', clink, cause: 'expired' }],
  ['error', { event: 'clink.deadLettered', clink, reason: 'no', attempts: 5 }],
  ['warn', { event: 'clink.leftAlone', clinkId: 'msg_9', why: 'malformed' }],
  ['info', { event: 'clink.leftAlone', clinkId: 'msg_9', why: 'no-route' }],
  ['debug', { event: 'clink.leftAlone', clinkId: 'msg_9', why: 'own-reply' }],
  ['fatal', { event: 'worker.failed', part: 'poll loop', error: new Error('x') }],
  ['error', { event: 'worker.stopped', completed: 1, released: 0, deadLettered: 0, lost: 0, leftBehind: ['msg_1'] }],
  ['info', { event: 'worker.stopped', completed: 1, released: 0, deadLettered: 0, lost: 0, leftBehind: [] }],
])('logs at %s: %j', (level, event) => {
  expect(log({}, event)).toMatchObject([{ level, event: event.event }])
})

test("a handler's own line has its level and message, and its fields cannot replace ours", () => {
  const [line] = log(
    {},
    { event: 'clink.log', clink, level: 'warn', message: 'disk is full', fields: { event: 'mine', left: 1.5 } },
  )
  expect(line).toMatchObject({
    level: 'warn',
    event: 'clink.log',
    message: 'disk is full',
    fields: { event: 'mine', left: 1.5 },
  })
})

test('what is below the level is not written', () => {
  expect(log({ level: 'warn' }, { event: 'clink.claimed', clink, lease: 1 })).toEqual([])
})

test('stacks of errors are for debug and below', () => {
  const event: WorkerEvent = { event: 'poll.failed', error: new Error('no answer'), wait: 1_000, failures: 1 }
  expect(log({ level: 'info' }, event)).toMatchObject([{ error: { name: 'Error', message: 'no answer' } }])
  expect(JSON.stringify(log({ level: 'info' }, event))).not.toContain('stack')
  expect(log({ level: 'debug' }, event)).toMatchObject([
    { error: { stack: expect.stringContaining('event-log.test') } },
  ])
})

test('what this program says itself is never hidden, whatever words it shares with clinks (P13)', () => {
  const said = { ...clink, content: 'there is no connection: the handler is not a function, it says' }
  const away = new ClinkApiError('complete_clink: no connection: connect ECONNREFUSED', {
    status: 0,
    detail: undefined,
    operation: 'complete_clink',
    mayHaveHappened: false,
    retryAfter: undefined,
    failure: 'refused',
    isBare: false,
  })
  const lines = log(
    {},
    { event: 'clink.started', clink: said, route: 'work', attempt: 1, waited: 0 },
    { event: 'poll.failed', error: away, wait: 1, failures: 1 },
    { event: 'handlers.failed', error: new Error('the handler is not a function'), kept: 1 },
    { event: 'clink.ended', clink: said, route: 'work', attempt: 1, outcome: 'failed', duration: 1, error: away },
    { event: 'worker.failed', part: 'worker', error: new Error('there is no connection') },
  )
  const messages = lines.map(({ error }) => Object(error).message)
  expect(messages).toEqual([
    undefined,
    'complete_clink: no connection: connect ECONNREFUSED',
    'the handler is not a function',
    'complete_clink: no connection: connect ECONNREFUSED',
    expect.stringContaining('not shown, it quotes the clink'),
  ])
})

test('the lines that every clink has go out together, but before a handler starts', () => {
  const did: string[] = []
  const logger = createLogger(
    { level: 'info', format: 'json', content: false },
    {
      destination: { write: (text) => void did.push(String(JSON.parse(text).event)) },
      terminal: false,
      color: false,
      secrets: [],
    },
  )
  const together = (write: () => void): void => {
    did.push('together')
    write()
  }
  const listen = logEvents(logger, { content: false, output: { together, flush: () => void did.push('flush') } })
  const facts = { clink, route: 'answer', attempt: 1 }
  listen({ event: 'clink.claimed', ...facts, lease: 1 })
  listen({ event: 'clink.started', ...facts, waited: 1 })
  listen({ event: 'clink.log', ...facts, level: 'info', message: 'said by its handler' })
  listen({ event: 'clink.completed', ...facts, presumed: false, duration: 1 })
  expect(did).toEqual(['together', 'clink.claimed', 'flush', 'clink.log', 'together', 'clink.completed'])
})
