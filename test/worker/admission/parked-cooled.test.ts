import { expect, it } from 'vitest'
import { story } from '../../support/record.ts'
import { MINUTE, VirtualBench, type VirtualOptions } from '../../support/virtual.ts'

/** A clink that its handler gives back once, and that the next poll claims while it cools. */
async function parkedOnce(options: Pick<VirtualOptions, 'switches'> & { readonly cooldown: number }) {
  let runs = 0
  const bench = new VirtualBench({
    ...(options.switches === undefined ? {} : { switches: options.switches }),
    settings: { retry: { cooldown: options.cooldown }, inbox: { claim: 'batch' } },
    handle: async (_, ctx) => {
      runs += 1
      return await Promise.resolve(runs === 1 ? ctx.release('not yet') : 'done')
    },
  })
  const id = bench.send('work')
  while (bench.all('clink.parked').length === 0) await bench.pass(100)
  expect(bench.all('clink.parked')).toMatchObject([{ why: 'cooling' }])
  return { bench, id }
}

it('P10, §3: a parked clink that has cooled before its claim ends is given back then, and runs', async () => {
  const { bench, id } = await parkedOnce({ cooldown: 10_000 })
  await bench.pass(9_000)
  expect(bench.emulator.clink(id)?.status).toBe('claimed')
  await bench.pass(10_000)

  expect(bench.all('clink.released')).toMatchObject([{ why: 'handler' }, { why: 'parked' }])
  expect(bench.all('clink.parked')).toHaveLength(1)
  expect(bench.emulator.clink(id)?.status).toBe('completed')
  await bench.stop()
})

it('P7, §3: one that cools for longer than its claim keeps it to the end', async () => {
  const { bench, id } = await parkedOnce({ cooldown: 60 * MINUTE })
  await bench.pass(20 * MINUTE)

  expect(bench.all('clink.released')).toHaveLength(1)
  expect(bench.all('clink.parked').length).toBeLessThanOrEqual(5)
  expect(bench.emulator.clink(id)?.status).toBe('claimed')
  await bench.stop()
})

it('P2, §2: a claim of which nobody told how long it lasts may be over, and is not released', async () => {
  const { bench, id } = await parkedOnce({
    cooldown: 40_000,
    switches: { claimTimes: 'absent', defaultTimeout: 30, maxTimeout: 'cap:30' },
  })
  await bench.pass(2 * MINUTE)

  expect(bench.all('clink.released')).toHaveLength(1)
  expect(bench.emulator.clink(id)?.status).toBe('completed')
  await bench.stop()
})

/** A clink whose handler does not heed the loss of its claim, and takes a hundred seconds; the next claim on it is parked for ten. */
async function parkedBehind() {
  const bench: VirtualBench = new VirtualBench({
    switches: { defaultTimeout: 60, reclaim: 'refuse' },
    settings: { claim: { timeout: 60_000 }, retry: { attempts: 5 }, inbox: { claim: 'batch' } },
    handle: async () => {
      await bench.take(100_000, new AbortController().signal)
      return 'too late'
    },
  })
  const id = bench.send('deaf')
  await bench.pass(50_000)
  // As where another member of its fleet has put it off.
  await bench.ledger.cooling.set(id, 20_000)
  while (bench.all('clink.parked').length === 0) await bench.pass(100)
  expect(bench.all('clink.parked')).toMatchObject([{ why: 'cooling' }])
  return { bench, id, isRunning: (): boolean => bench.all('clink.ended').length === 0 }
}

it.each([
  ['that has cooled', () => {}],
  ['that a drain would give back', (bench: VirtualBench) => void bench.daemon.worker.drain.begin({ by: 'somebody' })],
  ['that works in another way after a reload', (bench: VirtualBench) => bench.daemon.worker.rerouted()],
  ['whose letter was retried', (bench: VirtualBench, id: string) => void bench.daemon.worker.giveBack(id)],
])(
  'P3, §3: one %s is not given back while code of an earlier claim goes on, but when that has ended',
  async (_, ask) => {
    const { bench, id, isRunning } = await parkedBehind()
    await bench.pass(15_000)
    ask(bench, id)
    while (isRunning()) {
      expect(story(bench.emulator, id)).not.toContain('released')
      await bench.pass(100)
    }
    await bench.pass(1_000)
    expect(story(bench.emulator, id)).toContain('released')
    await bench.stop()
  },
)

it('P8, §6: a stop gives it back, whatever code goes on', async () => {
  const { bench, id, isRunning } = await parkedBehind()
  void bench.daemon.stop('the test is over')
  await bench.pass(1_000)
  expect([isRunning(), story(bench.emulator, id).at(-1)]).toEqual([true, 'released'])
  await bench.pass(MINUTE)
})
