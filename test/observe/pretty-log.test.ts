import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import type { WorkerEvent } from '../../src/events.ts'
import { wantsColor } from '../../src/observe/colour.ts'
import { logEvents } from '../../src/observe/events.ts'
import { createLogger } from '../../src/observe/log.ts'

const clink = {
  clink_id: 'msg_1',
  group_id: 'g',
  group_slug: 'ops',
  sender_id: 's',
  sender_name: 'S',
  content: 'two\nlines',
  created_at: '2026-11-24T06:00:00.000Z',
  status: 'claimed',
}

function pretty(event: WorkerEvent, options: { color?: boolean; level?: 'debug' } = {}): string {
  const { color = false, level = 'info' } = options
  let written = ''
  const logger = createLogger(
    { level, format: 'auto', content: true },
    { destination: { write: (text) => void (written += text) }, terminal: true, color, secrets: [] },
  )
  logEvents(logger, { content: true })(event)
  return written
}

test('a fact is one readable line on a terminal', () => {
  const line = pretty({
    event: 'clink.released',
    clink,
    route: 'answer',
    attempt: 2,
    why: 'handler',
    reason: 'not now',
    duration: 1_500,
  })
  expect(line).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} info  clink\.released     msg_1 ops answer #2 1\.5s why=handler reason="not now"\n$/,
  )
})

test('a text of several lines stays on one', () => {
  expect(pretty({ event: 'clink.claimed', clink, lease: 9_000 })).toMatch(/lease=9\.0s content=two\\nlines\n$/)
})

test('an error is its message, with its stack below it at debug only', () => {
  const event: WorkerEvent = { event: 'poll.failed', error: new Error('no answer'), wait: 2_000, failures: 1 }
  expect(pretty(event)).toMatch(/poll\.failed .*wait=2\.0s failures=1 no answer\n$/)
  expect(pretty(event, { level: 'debug' })).toMatch(/no answer\n {4}at .*pretty-log\.test/)
})

test('what others wrote cannot move the cursor or forge a line', () => {
  const message = 'a\u001B[2Jb\r\n00:00:00 info  forged \u202Egnp'
  const line = pretty({ event: 'clink.log', clink, level: 'info', message, fields: { 'x\ny': '\u001B[31m' } })
  expect(line.split('\n')).toHaveLength(2)
  for (const character of ['\u001B', '\u202E', '\r']) expect(line).not.toContain(character)
})

test('colours change nothing but the colour', () => {
  const event: WorkerEvent = { event: 'clink.lost', clink, cause: 'expired' }
  const coloured = pretty(event, { color: true })
  expect(coloured).toContain('\u001B[')
  expect(stripVTControlCharacters(coloured).slice(12)).toBe(pretty(event).slice(12))
})

test.each([
  [true, {}, true],
  [false, {}, false],
  [true, { NO_COLOR: '1' }, false],
  [true, { NO_COLOR: '' }, true],
  [true, { TERM: 'dumb' }, false],
])('colours on a terminal (%s) with %j: %s', (terminal, env, wanted) => {
  expect(wantsColor(terminal, env)).toBe(wanted)
})
