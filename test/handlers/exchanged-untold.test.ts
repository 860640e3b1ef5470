import { EventEmitter } from 'node:events'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { Settings } from '../../src/config/settings.ts'
import { HandlerWatch } from '../../src/handlers/watch.ts'
import type { HandlerSet } from '../../src/handlers/registry.ts'
import { answer, configOf, directoryWith, load } from '../support/handler-files.ts'
import { until } from '../support/until.ts'

/** A file system that tells of nothing. */
class Deaf extends EventEmitter {
  add(): void {}

  async close(): Promise<void> {
    await Promise.resolve()
  }
}

vi.mock('chokidar', () => ({
  watch: () => {
    const watcher = new Deaf()
    setImmediate(() => watcher.emit('ready'))
    return watcher
  },
}))

it('another directory under the name of the watched one is loaded though no event tells of it', async () => {
  const text = (value: string): string => `export default () => '${value}'`
  const cwd = await directoryWith({ 'handlers/a.ts': text('one'), 'next/a.ts': text('two') })
  const loaded: unknown[] = []
  const watch = new HandlerWatch({
    settings: new Settings(await configOf(cwd)),
    cwd,
    first: await load(cwd),
    echoWhenEmpty: false,
    // No look comes between the two renames.
    interval: 500,
    loaded: (set) => loaded.push(set),
    failed: (error) => loaded.push(error),
  })
  onTestFinished(async () => await watch.stop())
  await watch.start()
  // Behind what it compares as it starts.
  await watch.reload()
  await rename(join(cwd, 'handlers'), join(cwd, 'before'))
  await rename(join(cwd, 'next'), join(cwd, 'handlers'))
  await until(() => loaded.length === 2, 'they are loaded once more')
  expect(await answer(loaded[1] as HandlerSet)).toBe('two')
})
