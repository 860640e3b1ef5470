import { expect, it } from 'vitest'
import { followSettings } from '../../src/daemon/follow-settings.ts'
import { logEvents } from '../../src/observe/events.ts'
import { createLogger } from '../../src/observe/log.ts'
import { clink } from '../support/sample-records.ts'
import { makeSettings } from '../support/settings.ts'

it('log.level and log.content change for the lines that follow (P13)', () => {
  const settings = makeSettings({ log: { level: 'warn', content: true } })
  const lines: string[] = []
  const destination = { write: (text: string) => void lines.push(text) }
  const logger = createLogger(settings.current.log, { destination, terminal: false, color: false, secrets: [] })
  const shown = { content: true }
  followSettings(settings, logger, shown)
  const log = logEvents(logger, shown)
  const change = (to: Parameters<typeof makeSettings>[0]): void => void settings.change(makeSettings(to).current)
  const say = (): void => log({ event: 'clink.claimed', clink: { ...clink, content: 'told in private' }, lease: 1 })

  say()
  expect(lines).toEqual([])
  change({ log: { level: 'trace' } })
  say()
  change({ log: { level: 'trace', content: true } })
  say()
  change({ log: { level: 'trace', content: false } })
  say()
  expect(lines.map((line) => line.includes('told in private'))).toEqual([false, true, false])
  // What quotes a clink that came while contents were shown is hidden again as well.
  const error = new Error('cannot read told in private')
  const quoted = { ...clink, content: 'told in private' }
  log({
    event: 'clink.ended',
    clink: quoted,
    route: 'r',
    attempt: 1,
    outcome: 'failed',
    reason: 'the handler threw an error',
    said: error.message,
    error,
    duration: 1,
  })
  expect(lines.at(-1)).not.toContain('told in private')
})
