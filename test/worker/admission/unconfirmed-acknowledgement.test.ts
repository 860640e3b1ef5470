import { expect, it } from 'vitest'
import { answer, MINUTE, VirtualBench } from '../../support/virtual.ts'

it('P2, §2: what is no work is completed only once the length of its claim is known', async () => {
  let isBusy = true
  const bench = new VirtualBench({
    handle: async () => await Promise.resolve('done'),
    switches: { claimTimes: 'absent', defaultTimeout: 20 },
    settings: { clink: { identity: 'ap_worker' }, inbox: { claim: 'batch', ownReplies: 'acknowledge' } },
    weather: ({ path }) => (isBusy && path.endsWith('/claim') ? answer(429) : undefined),
  })
  const completions = (): number => bench.sent.filter(({ path }) => path.endsWith('/complete')).length
  const id = bench.send('under way\n— clink-worker · note')
  await bench.pass(MINUTE)
  expect(bench.sent.filter(({ path }) => path.endsWith('/claim')).length).toBeGreaterThan(1)
  expect(bench.all('clink.leftToExpire').map(({ clink }) => clink?.clink_id)).toContain(id)
  expect(completions()).toBe(0)

  isBusy = false
  await bench.pass(5 * MINUTE)
  expect(bench.emulator.clink(id)?.status).toBe('completed')
  await bench.stop()
})
