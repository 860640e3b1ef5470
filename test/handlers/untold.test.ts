import { EventEmitter } from 'node:events'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { Settings } from '../../src/config/settings.ts'
import { HandlerWatch } from '../../src/handlers/watch.ts'
import type { HandlerSet } from '../../src/handlers/registry.ts'
import { answer, configOf, directoryWith, load } from '../support/handler-files.ts'
import { until } from '../support/until.ts'

/** A file system that tells of nothing but what a test says; `isSlow`: nor that it has been looked through. */
class Deaf extends EventEmitter {
  add(): void {}

  async close(): Promise<void> {
    await Promise.resolve()
  }
}

const told = vi.hoisted(() => ({ watchers: [] as EventEmitter[], isSlow: false }))

vi.mock('chokidar', () => ({
  watch: () => {
    const watcher = new Deaf()
    told.watchers.push(watcher)
    if (!told.isSlow) setImmediate(() => watcher.emit('ready'))
    return watcher
  },
}))

const text = (value: string): string => `export default () => '${value}'`

interface Watched {
  readonly cwd: string
  readonly reports: unknown[]
  /** The answer of what was loaded last. */
  readonly last: () => Promise<unknown>
}

async function watched(interval: number, isSlow = false): Promise<Watched> {
  told.watchers.length = 0
  told.isSlow = isSlow
  const cwd = await directoryWith({ 'handlers/a.ts': text('one'), 'next/a.ts': text('two') })
  const reports: unknown[] = []
  const watch = new HandlerWatch({
    settings: new Settings(await configOf(cwd)),
    cwd,
    first: await load(cwd),
    echoWhenEmpty: false,
    interval,
    loaded: (set) => reports.push(set),
    failed: (error) => reports.push(error),
  })
  onTestFinished(async () => await watch.stop())
  await watch.start()
  // Behind what it compares as it starts.
  await watch.reload()
  return { cwd, reports, last: async () => await answer(reports.at(-1) as HandlerSet) }
}

it('another directory under the name of the watched one is loaded', async () => {
  // No look comes between the two renames.
  const { cwd, reports, last } = await watched(500)
  await rename(join(cwd, 'handlers'), join(cwd, 'before'))
  await rename(join(cwd, 'next'), join(cwd, 'handlers'))
  await until(() => reports.length === 2, 'they are loaded once more')
  expect(await last()).toBe('two')
})

it('a directory that was told to be away and is back before the next look is loaded', async () => {
  const { cwd, reports, last } = await watched(1_000)
  await rename(join(cwd, 'handlers'), join(cwd, 'before'))
  for (const watcher of told.watchers) watcher.emit('all')
  await until(() => reports.length === 2, 'the failure')
  expect(reports[1]).toBeInstanceOf(Error)
  await rename(join(cwd, 'before'), join(cwd, 'handlers'))
  await until(() => reports.length === 3, 'they are loaded once more')
  expect(await last()).toBe('one')
})

it.each([
  ['that is written', 'a.ts', text('two')],
  ['that is added', 'b.ts', `export default { match: { group: 'ops' }, handle: () => 'two' }`],
])('a file %s is loaded', async (_, file, content) => {
  const { cwd, reports, last } = await watched(50)
  await writeFile(join(cwd, 'handlers', file), content)
  await until(() => reports.length === 2, 'they are loaded once more')
  expect(await last()).toBe('two')
})

it('a file that is written while its directory is looked through without end is loaded', async () => {
  const { cwd, reports, last } = await watched(50, true)
  await writeFile(join(cwd, 'handlers/a.ts'), text('two'))
  await until(() => reports.length === 2, 'they are loaded once more')
  expect(await last()).toBe('two')
})
