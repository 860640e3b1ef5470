import { describe, expect, it } from 'vitest'
import type { Weather } from '../support/virtual.ts'
import { stillClaimed, story } from '../support/record.ts'
import { VirtualBench } from '../support/virtual.ts'

const shutdown = { timeout: 25_000, drain: 17_000 }
const LONGEST_STOP = 5_000

/** Works until it has ended, and says how many milliseconds after its start that was. */
async function timed(bench: VirtualBench): Promise<number> {
  const from = bench.time.now
  const ends: number[] = []
  void bench.daemon.ended.then(() => ends.push(bench.time.now))
  while (ends.length === 0) await bench.pass(50)
  return Math.min(...ends) - from
}

describe('§9: --max-time bounds the process', () => {
  it('P8: what runs has three seconds to finish, is then aborted and given back, and two later nothing is left', async () => {
    const aborted: number[] = []
    const bench = new VirtualBench({
      once: { maxTime: 2_000 },
      settings: { shutdown },
      handle: async ({ content }, ctx, self) => {
        ctx.signal.addEventListener('abort', () => aborted.push(self.time.now))
        await self.take(content === 'short' ? 4_000 : 50_000, ctx.signal)
        return 'done'
      },
    })
    const [short, long] = [bench.send('short'), bench.send('long')]

    expect(await timed(bench)).toBeLessThanOrEqual(2_000 + LONGEST_STOP)
    expect(story(bench.emulator, short)).toEqual(['created', 'claimed', 'completed'])
    expect(story(bench.emulator, long)).toEqual(['created', 'claimed', 'released'])
    expect(aborted).toEqual([5_000])
  })

  it('also where a stop for another reason has begun before', async () => {
    const bench = new VirtualBench({
      once: { maxTime: 4_000 },
      settings: { shutdown },
      handle: async (_, ctx, self) => await self.take(50_000, ctx.signal),
    })
    bench.send('work')
    await bench.pass(3_000)
    void bench.daemon.stop('the test says so')

    expect(await timed(bench)).toBeLessThanOrEqual(1_000 + LONGEST_STOP)
    expect(stillClaimed(bench.emulator)).toEqual([])
  })

  it('and where the service does not answer any more', async () => {
    let weather: Weather | undefined
    const bench = new VirtualBench({
      once: { maxTime: 2_000 },
      settings: { shutdown },
      weather: () => weather,
      handle: async () => 'done',
    })
    bench.send('work')
    await bench.pass(2)
    weather = 'hang'

    expect(await timed(bench)).toBeLessThanOrEqual(2_000 + LONGEST_STOP)
  })
})
