import { expect, it } from 'vitest'
import { BareFleet } from '../../support/bare-fleet.ts'
import { stillClaimed } from '../../support/record.ts'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

class SlowFleet extends BareFleet {
  knows = true
  override readonly isTold = (): boolean => this.knows
}

/** A clink that is given up, and claimed by a poll, in a fleet that does not know of its letter. */
async function parked() {
  const fleet = new SlowFleet()
  fleet.paused = []
  const bench = new VirtualBench({
    fleet,
    settings: { inbox: { claim: 'batch' }, retry: { attempts: 1 } },
    handle: async () => await Promise.reject(new Error('it failed')),
  })
  const id = bench.send('work')
  while (bench.all('clink.parked').length === 0) await bench.pass(100)
  expect(bench.all('clink.parked')).toMatchObject([{ why: 'given-up' }])
  fleet.knows = false
  const before = bench.all('clink.released').length
  const released = (): readonly unknown[] => bench.all('clink.released').slice(before)
  return { bench, fleet, id, released }
}

it('P10, §6: a stop gives back what is given up when its fleet knows that', async () => {
  const { bench, fleet, released } = await parked()
  const stopped = bench.daemon.stop('the test is over')
  await bench.pass(2_000)
  expect(released()).toEqual([])
  fleet.knows = true
  await bench.pass(1_000)
  expect(released()).toMatchObject([{ why: 'parked' }])
  await stopped
  expect(await bench.daemon.ended).toBe(0)
  expect(stillClaimed(bench.emulator)).toEqual([])
})

it('P8, §6: where its fleet cannot be told, a stop leaves it to the end of its claim, and names it', async () => {
  const { bench, fleet, id, released } = await parked()
  const stopped = bench.daemon.stop('the test is over')
  await bench.pass(2_000)
  fleet.isHealthy = false
  await bench.pass(1_000)
  await stopped
  expect(released()).toEqual([])
  expect(bench.all('clink.leftToExpire')).toMatchObject([{ why: expect.stringContaining('the shared store is away') }])
  expect(bench.all('worker.stopped')).toMatchObject([{ leftBehind: [id] }])
  expect(await bench.daemon.ended).toBe(70)
  expect(stillClaimed(bench.emulator)).toEqual([id])
})

it('P8, §6: a stop whose time is over before its fleet knows names it as well', async () => {
  const { bench, id, released } = await parked()
  const stopped = bench.daemon.stop('the test is over')
  await bench.pass(MINUTE)
  await stopped
  expect(released()).toEqual([])
  expect(bench.all('worker.stopped')).toMatchObject([{ leftBehind: [id] }])
  expect(stillClaimed(bench.emulator)).toEqual([id])
})
