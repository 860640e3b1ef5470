import type * as Files from 'node:fs/promises'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { Secret } from '../../src/base/secret.ts'
import { KeyWatch } from '../../src/config/key-watch.ts'
import { until } from '../support/until.ts'
import { directoryWith } from '../support/config-files.ts'

/** Reads of the key: how many have begun and ended, and what holds them back. */
const reads = vi.hoisted(() => ({ begun: 0, ended: 0, held: Promise.withResolvers<void>() }))

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof Files>()
  const readFile = async (file: string, encoding: 'utf8'): Promise<string> => {
    reads.begun += 1
    await reads.held.promise
    return await real.readFile(file, encoding).finally(() => (reads.ended += 1))
  }
  return { ...real, readFile }
})

it('tells that the file is gone though it was there for a moment between two looks that miss it (§8, P13)', async () => {
  const file = join(await directoryWith({ key: 'sk_live_u_first' }), 'key')
  const problems: string[] = []
  const first = new Secret('sk_live_u_first')
  // Long enough for the file to come and go between two looks.
  const watch = new KeyWatch({
    file,
    first,
    interval: 500,
    changed: async () => {},
    unusable: (one) => problems.push(one),
  })
  reads.held.resolve()
  watch.start()
  await until(() => reads.ended === 1, 'the first look has read it')

  reads.held = Promise.withResolvers()
  await rm(file)
  await until(() => reads.begun === 2, 'a look has missed it')
  await writeFile(file, 'sk_live_u_first')
  reads.held.resolve()
  await until(() => reads.ended === 2, 'it was read while it was there')
  await rm(file)

  await until(() => problems.length === 1, 'the problem is told')
  await watch.stop()
  expect(problems).toEqual([expect.stringContaining('there is no such file')])
})
