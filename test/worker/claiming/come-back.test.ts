import { describe, expect, it } from 'vitest'
import type { Target } from '../../../src/handlers/route.ts'
import { answer, MINUTE, VirtualBench } from '../../support/virtual.ts'

const CLINKS = 4
const settings = {
  claim: { exclusive: true, timeout: 20_000 },
  inbox: { claim: 'select' },
  retry: { backoff: 10_000, maxBackoff: 10_000 },
  poll: { interval: 500, maxInterval: 2_000, sweep: 60 * MINUTE },
} as const

async function sendOneByOne(bench: VirtualBench): Promise<readonly string[]> {
  const ids: string[] = []
  for (let n = 0; n < CLINKS; n += 1) {
    ids.push(bench.send(`clink ${n}`))
    await bench.pass(1_000)
  }
  await bench.pass(1_000)
  return ids
}

describe('P1: what was in hand here and is in the inbox once more is not new, and is worked within seconds all the same', () => {
  it('where another route takes it since a reload', async () => {
    const mended: Target = { is: 'module', handle: async () => await Promise.resolve('done') }
    const bench = new VirtualBench({ settings, handle: async () => await Promise.reject(new Error('broken')) })
    await bench.pass(5_000)
    const ids = await sendOneByOne(bench)
    bench.reload({ name: 'other', target: mended })
    await bench.pass(MINUTE)

    expect(bench.all('clink.released').map(({ why }) => why)).toEqual(Array.from({ length: CLINKS }, () => 'rerouted'))
    expect(ids.filter((id) => bench.emulator.clink(id)?.status !== 'completed')).toEqual([])
    await bench.stop()
  })

  it('where its claim ran out while no renewal went through', async () => {
    let isAway = false
    const bench: VirtualBench = new VirtualBench({
      settings,
      handle: async (_, { attempt, signal }) => (attempt > 1 ? 'done' : await bench.take(MINUTE, signal)),
      weather: ({ path }) => (isAway && path.endsWith('/claim') ? answer(503) : undefined),
    })
    await bench.pass(5_000)
    const ids = await sendOneByOne(bench)
    isAway = true
    await bench.pass(30_000)
    expect(bench.all('clink.lost')).not.toEqual([])
    isAway = false
    await bench.pass(3 * MINUTE)

    expect(ids.filter((id) => bench.emulator.clink(id)?.status !== 'completed')).toEqual([])
    await bench.stop()
  })
})
