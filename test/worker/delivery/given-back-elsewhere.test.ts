import { expect, it } from 'vitest'
import { BareFleet } from '../../support/bare-fleet.ts'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

it('P10: a clink that has failed and another member of a fleet has given back meanwhile keeps its failed attempt', async () => {
  const fleet = new BareFleet()
  fleet.paused = []
  const bench = new VirtualBench({
    fleet,
    settings: { retry: { attempts: 3, backoff: 5_000, maxBackoff: 5_000 } },
    handle: async () => await Promise.reject(new Error('it failed')),
  })
  const id = bench.send('work')
  while (bench.all('clink.held').length === 0) await bench.pass(100)
  // What a look at the inbox reads of it.
  await bench.ledger.cooling.set(id, MINUTE)
  await bench.ledger.recall([id])
  while (bench.all('clink.released').length === 0) await bench.pass(100)
  expect(bench.all('clink.released')).toMatchObject([{ why: 'parked' }])
  expect(bench.ledger.attemptsOf(id)).toMatchObject({ starts: 1, errors: ['it failed'] })
  await bench.pass(10 * MINUTE)
  expect(bench.all('clink.started').map(({ attempt }) => attempt)).toEqual([1, 2, 3])
  await bench.stop()
})
