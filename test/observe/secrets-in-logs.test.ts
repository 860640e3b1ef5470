import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { Secret } from '../../src/base/secret.ts'
import { logEvents } from '../../src/observe/events.ts'
import { createLogger } from '../../src/observe/log.ts'
import { redactor } from '../../src/observe/redact.ts'

const KEY = 'sk_live_u_do"not\\show/me'
const clink = {
  clink_id: 'msg_1',
  group_id: 'g',
  sender_id: 's',
  sender_name: 'S',
  content: `content with ${KEY}`,
  created_at: '2026-11-24T06:00:00.000Z',
  status: 'claimed',
}

/** As an HTTP library makes them: the request hangs on the error. */
function httpError(): Error {
  const headers = { authorization: `Bearer ${KEY}` }
  const error = Object.assign(new Error(`GET /inbox failed for Bearer ${KEY}`), {
    code: 'ERR_BODY',
    options: { headers, [KEY]: KEY },
    request: { headers },
    toJSON: () => ({ headers }),
    [inspect.custom]: () => KEY,
  })
  error.stack = `Error: ${KEY}\n    at request (${KEY}:1:1)`
  return error
}

const nasty: readonly [string, () => unknown][] = [
  ['an error that carries its request', httpError],
  ['an error as a cause', () => new Error('outer', { cause: httpError() })],
  ['an aggregate of them', () => new AggregateError([httpError(), new Error('inner', { cause: httpError() })], KEY)],
  ['an error in an object', () => ({ deep: { err: httpError(), error: [httpError()] } })],
  ['an object with the headers', () => ({ options: { headers: { authorization: `Bearer ${KEY}` } } })],
  ['the key as a name', () => ({ [KEY]: 1 })],
  ['the key in an address', () => `https://example.test/?key=${encodeURIComponent(KEY)}`],
  ['a secret', () => ({ key: new Secret(KEY), map: new Map([['k', new Secret(KEY)]]), set: new Set([KEY]) })],
  ['bytes', () => ({ body: Buffer.from(KEY), array: new TextEncoder().encode(KEY) })],
  ['JSON in JSON', () => JSON.stringify({ text: KEY })],
  ['a cycle', () => ((loop: Record<string, unknown>) => (loop['self'] = Object.assign(loop, { KEY })))({})],
  [
    'a getter that throws',
    () =>
      Object.defineProperty({}, 'x', {
        enumerable: true,
        get: () => {
          throw httpError()
        },
      }),
  ],
]

for (const format of ['json', 'pretty'] as const) {
  test.each(nasty)(`the key is in no ${format} line at level trace: %s`, (_name, make) => {
    let written = ''
    const logger = createLogger(
      { level: 'trace', format, content: true },
      { destination: { write: (text) => void (written += text) }, terminal: false, color: false, secrets: [KEY] },
    )
    const listen = logEvents(logger, { content: true })
    const value = make()
    const error = value instanceof Error ? value : new Error('thrown', { cause: value })
    listen({ event: 'clink.ended', clink, outcome: 'failed', error, reason: KEY, duration: 1 })
    listen({ event: 'worker.failed', part: KEY, error })
    listen({ event: 'clink.log', clink, level: 'error', message: `see ${KEY}`, fields: { value } })
    listen({ event: 'clink.completed', clink, response: KEY, presumed: false, duration: 1 })

    expect(written.split('\n').filter((line) => line.includes('clink.')).length).toBeGreaterThanOrEqual(3)
    const forms = [
      KEY,
      JSON.stringify(KEY).slice(1, -1),
      encodeURIComponent(KEY),
      Buffer.from(KEY).toJSON().data.join(),
    ]
    for (const form of [...forms, 'do"not', 'do\\"not', 'not\\\\show']) expect(written).not.toContain(form)
    expect(written).toContain('[secret]')
  })
}

test('a key that nobody told the log about is known by its shape', () => {
  let written = ''
  const logger = createLogger(
    { level: 'info', format: 'json', content: false },
    { destination: { write: (text) => void (written += text) }, terminal: false, color: false, secrets: [] },
  )
  logger.info({ event: 'x', text: 'Bearer sk_live_g_0123456789' })
  expect(written).toContain('Bearer [secret]')
})

test('What is too short to be a key leaves the lines readable: a key file may hold anything for a moment (P13, P14)', () => {
  const secrets = new Set([KEY])
  const redact = redactor(secrets)
  secrets.add('e')

  expect(redact('{"level":"info"}')).toBe('{"level":"info"}')
})

test('a key that comes later is in no line either, whatever it looks like (P13)', () => {
  let written = ''
  const secrets = new Set([KEY])
  const logger = createLogger(
    { level: 'info', format: 'json', content: false },
    { destination: { write: (text) => void (written += text) }, terminal: false, color: false, secrets },
  )
  logger.info({ event: 'x', text: 'before' })
  secrets.add('sk_live_u_ab.cd/ef')
  logger.info({ event: 'x', text: `${KEY} and sk_live_u_ab.cd/ef` })
  expect(written).toContain('[secret] and [secret]')
  expect(written).not.toContain('.cd/ef')
})
