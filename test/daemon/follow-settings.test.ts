import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { Settings } from '../../src/config/settings.ts'
import { followSettings } from '../../src/daemon/follow-settings.ts'
import type { HandlerSet } from '../../src/handlers/registry.ts'
import { HandlerWatch } from '../../src/handlers/watch.ts'
import { logEvents } from '../../src/observe/events.ts'
import { createLogger } from '../../src/observe/log.ts'
import { answer, configOf, directoryWith, load } from '../support/handler-files.ts'
import { clink } from '../support/sample-records.ts'
import { makeSettings } from '../support/settings.ts'
import { until } from '../support/until.ts'

it('log.level and log.content change for the lines that follow (P13)', () => {
  const settings = makeSettings({ log: { level: 'warn', content: true } })
  const lines: string[] = []
  const destination = { write: (text: string) => void lines.push(text) }
  const logger = createLogger(settings.current.log, { destination, terminal: false, color: false, secrets: [] })
  const shown = { content: true }
  followSettings(settings, logger, shown, { reload: async () => await Promise.reject(new Error('no')) })
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
    reason: error.message,
    error,
    duration: 1,
  })
  expect(lines.at(-1)).not.toContain('told in private')
})

it('another handlers.directory is loaded with the change, and nothing is where the routes stay', async () => {
  const cwd = await directoryWith({
    'handlers/a.ts': "export default () => 'one'",
    'others/a.ts': "export default () => 'two'",
  })
  const first = await configOf(cwd)
  const settings = new Settings(first)
  const sets: HandlerSet[] = []
  const watch = new HandlerWatch({
    settings,
    cwd,
    first: await load(cwd),
    loaded: (set) => sets.push(set),
    failed: (error) => expect.fail(error.message),
  })
  onTestFinished(async () => await watch.stop())
  followSettings(settings, { level: 'info' }, { content: false }, watch)

  settings.change({ ...first, concurrency: 3 })
  const directory = join(cwd, 'others')
  settings.change({ ...first, concurrency: 3, handlers: { ...first.handlers, directory } })
  await until(() => sets.length > 0, 'the handlers are loaded')
  await watch.stop()
  expect(await Promise.all(sets.map(async (set) => await answer(set)))).toEqual(['two'])
})
