import { describe, expect, it } from 'vitest'
import type { ExitCode } from '../../src/base/coded-error.ts'
import type { Clink } from '../../src/clink/records.ts'
import { MINUTE, VirtualBench, type Weather } from '../support/virtual.ts'

interface Scene {
  /** What is answered to requests about the clink. Undefined: what the service says. */
  readonly weather: (path: string, bench: VirtualBench) => Weather | undefined
  readonly maxTime?: number
}

/** A worker that works an inbox of one clink empty, and what it exits with. */
function work({ weather, maxTime }: Scene): { bench: VirtualBench; id: string; exit: () => ExitCode | undefined } {
  const bench: VirtualBench = new VirtualBench({
    once: maxTime === undefined ? {} : { maxTime },
    weather: ({ path }) => (path.includes('/clinks/') ? weather(path, bench) : undefined),
    handle: async (_: Clink) => 'the result',
  })
  let exit: ExitCode | undefined
  void bench.daemon.ended.then((code) => (exit = code))
  return { bench, id: bench.send('work'), exit: () => exit }
}

describe('§9, P5: --once with a result that the service does not take', () => {
  it('ends with 69 and says why when its clink does not come back', async () => {
    const { bench, id, exit } = work({ weather: () => 'reset' })
    await bench.pass(4 * MINUTE)
    bench.emulator.changeClink(id, { for: 'user_alice' })
    await bench.pass(10 * MINUTE)

    expect(exit()).toBe(69)
    expect(bench.all('clink.lost').map(({ cause }) => cause)).toEqual(['expired'])
    expect(bench.all('worker.stopping').map(({ reason }) => reason)).toEqual([
      'the service did not take a result, which is kept',
    ])
  })

  it('ends with 69 when its time is over before its clink comes back', async () => {
    const { bench, exit } = work({ weather: () => 'reset', maxTime: 5 * MINUTE - 15_000 })
    await bench.pass(10 * MINUTE)

    expect(bench.all('clink.lost').map(({ cause }) => cause)).toEqual(['expired'])
    expect(exit()).toBe(69)
  })

  it('ends with 0 when its clink comes back and the result is sent', async () => {
    const { bench, id, exit } = work({ weather: (_, { time }) => (time.now < 5 * MINUTE ? 'reset' : undefined) })
    await bench.pass(10 * MINUTE)

    expect(bench.all('clink.lost')).toHaveLength(1)
    expect(bench.emulator.clink(id)?.status).toBe('completed')
    expect(exit()).toBe(0)
  })
})
