import { describe, expect, it } from 'vitest'
import type { ExitCode } from '../../src/base/coded-error.ts'
import { stillClaimed } from '../support/record.ts'
import { MINUTE, VirtualBench, type VirtualOptions } from '../support/virtual.ts'

/** A worker that works the inbox empty, on a journal that can be switched off. */
function work(handle: VirtualOptions['handle']): {
  bench: VirtualBench
  journal: { isHealthy: boolean }
  exit: () => ExitCode | undefined
} {
  const journal = { isHealthy: true }
  const settings = { retry: { backoff: 50_000, maxBackoff: 50_000 } }
  const bench = new VirtualBench({ once: {}, isHealthy: () => journal.isHealthy, handle, settings })
  let exit: ExitCode | undefined
  void bench.daemon.ended.then((code) => (exit = code))
  return { bench, journal, exit: () => exit }
}

describe('§9: --once while the journal cannot be written', () => {
  it('P8: ends with 75 when nothing can be done any more, and leaves to their end, by name, the claims that it could not note as given back', async () => {
    const { bench, journal, exit } = work(async () => {
      throw new Error('not yet')
    })
    const id = bench.send('work')
    while (bench.all('clink.held').length === 0) await bench.pass(100)
    journal.isHealthy = false
    await bench.pass(20_000)

    expect(exit()).toBe(75)
    expect(bench.all('worker.stopping')).toHaveLength(1)
    expect(bench.all('clink.leftToExpire')).toMatchObject([
      { clink: { clink_id: id }, why: expect.stringContaining('journal cannot be written') },
    ])
    expect(bench.sent.some(({ path }) => path.endsWith('/release'))).toBe(false)
    expect(stillClaimed(bench.emulator)).toEqual([id])
  })

  it('lets what runs come to its end first', async () => {
    const { bench, journal, exit } = work(async (_, ctx, self) => {
      await self.take(50_000, ctx.signal)
      return 'done'
    })
    const id = bench.send('work')
    while (bench.all('clink.claimed').length === 0) await bench.pass(100)
    await bench.pass(1_000)
    journal.isHealthy = false
    await bench.pass(40_000)
    expect(exit()).toBeUndefined()
    await bench.pass(20_000)

    expect(exit()).toBe(75)
    expect(bench.emulator.clink(id)?.status).toBe('completed')
  })

  it('goes on where it is a matter of seconds', async () => {
    const { bench, journal, exit } = work(async () => 'done')
    journal.isHealthy = false
    const id = bench.send('work')
    await bench.pass(8_000)
    journal.isHealthy = true
    await bench.pass(MINUTE)

    expect(exit()).toBe(0)
    expect(bench.emulator.clink(id)?.status).toBe('completed')
  })
})
