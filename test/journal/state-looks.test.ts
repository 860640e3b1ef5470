import { statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { openState } from '../../src/journal/state.ts'
import { TempDir } from '../support/temp-dir.ts'

/** What is done from time to time, until it is given up. */
const looks = vi.hoisted(() => new Map<unknown, () => void>())

vi.mock('../../src/base/host-time.ts', async (importOriginal) => ({
  ...(await importOriginal<object>()),
  setInterval: (look: () => void) => {
    const timer = { unref: () => {} }
    looks.set(timer, look)
    return timer
  },
  clearInterval: (timer: unknown) => looks.delete(timer),
}))

it('§7: the files of a state directory look used as long as it is held, and no longer', () => {
  using directory = new TempDir()
  const files = ['lock.db', 'journal.db'].map((name) => join(directory.path, name))
  const state = openState({ directory: directory.path, sync: 'normal', onHealth: () => {} })
  const lastMonth = new Date(Date.now() - 30 * 86_400_000)
  for (const file of files) utimesSync(file, lastMonth, lastMonth)

  for (const look of looks.values()) look()

  for (const file of files) expect(Date.now() - statSync(file).mtimeMs).toBeLessThan(3_600_000)
  state.close()
  expect(looks.size).toBe(0)
})
