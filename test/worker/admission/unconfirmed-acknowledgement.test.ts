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

it('P8: a stop gives back what is no work, where a question about the length of its claim has failed', async () => {
  const bench = new VirtualBench({
    handle: async () => await Promise.resolve('done'),
    switches: { claimTimes: 'absent', defaultTimeout: 60 },
    settings: {
      clink: { identity: 'ap_worker' },
      inbox: { claim: 'batch', ownReplies: 'acknowledge' },
      shutdown: { timeout: 3_000, drain: 1_000 },
    },
    weather: ({ path }) => (path.endsWith('/claim') ? answer(502) : undefined),
  })
  const id = bench.send('under way\n— clink-worker · note')
  while (bench.all('clink.renewalFailed').length === 0) await bench.pass(10)
  void bench.daemon.stop('the test is over')
  await bench.pass(MINUTE / 2)

  expect(bench.all('worker.stopped')).toMatchObject([{ released: 1, leftBehind: [] }])
  expect(bench.emulator.clink(id)?.status).toBe('pending')
})
