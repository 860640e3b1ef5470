import { expect, it } from 'vitest'
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
