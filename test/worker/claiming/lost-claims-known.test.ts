import { expect, it } from 'vitest'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

it('P1, §3: a claim that is known to have run out here is not taken up for one of a lost poll, though polls tell no times', async () => {
  let isLost = false
  const bench = new VirtualBench({
    // Each claim lasts for five minutes there, whatever is asked for.
    switches: { pollRecords: 'snapshot', reclaim: 'ignore', claimedAtOnRenew: 'stays', defaultTimeout: 300 },
    settings: {
      clink: { identity: 'ap_worker' },
      inbox: { claim: 'batch' },
      claim: { exclusive: true, timeout: 4_000 },
      concurrency: 3,
    },
    weather: ({ path }) => {
      if (isLost || bench.all('clink.lost').length === 0 || !path.includes('claim=true')) return undefined
      isLost = true
      return 'reset'
    },
    handle: async (_, ctx) => await bench.take(MINUTE, ctx.signal),
  })
  const id = bench.send('work')
  await bench.pass(MINUTE)

  expect(bench.all('poll.lost')).toHaveLength(1)
  expect(bench.all('clink.lost').map(({ clink }) => clink.clink_id)).toEqual([id])
  expect(bench.all('clink.takenUp')).toEqual([])
  expect(bench.all('clink.leftToExpire')).toEqual([])
  await bench.stop()
})
