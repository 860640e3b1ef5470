import { expect, it } from 'vitest'
import { answer, MINUTE, VirtualBench, type VirtualOptions } from '../support/virtual.ts'

/** Two slots, and two clinks that are done when the service begins to refuse what `isRefused` says, with this status. */
async function refusing(
  status: number,
  isRefused: (path: string) => boolean,
  options: Pick<VirtualOptions, 'once'> = {},
): Promise<{ bench: VirtualBench; mend: () => void }> {
  let isBad: boolean | undefined
  const bench = new VirtualBench({
    ...options,
    settings: { concurrency: 2, inbox: { claim: 'batch' } },
    weather: ({ path }) => (isBad === true && isRefused(path) ? answer(status) : undefined),
    handle: async () => {
      isBad ??= true
      return await Promise.resolve('done')
    },
  })
  for (let n = 0; n < 3; n += 1) bench.send(`work ${n}`)
  while (bench.all('clink.ended').length < 2) await bench.pass(100)
  return { bench, mend: () => (isBad = false) }
}

it('P12, §8: a worker whose key is suspended while all its slots hold results is not ready, says so, and is again when the key works', async () => {
  const { bench, mend } = await refusing(401, () => true)
  await bench.pass(MINUTE)
  expect(bench.daemon.readiness()).toMatchObject({
    ready: false,
    reasons: [expect.stringMatching(/401.*check that it is right, not suspended/)],
  })
  expect(bench.all('worker.notReady')).toMatchObject([{ reason: expect.stringContaining('401') }])
  mend()
  await bench.pass(2 * MINUTE)
  expect([bench.all('clink.completed').length, bench.daemon.readiness().ready]).toEqual([3, true])
  expect(bench.all('worker.ready')).toHaveLength(2)
  await bench.stop()
})

it('P12: so is one whose slots all hold results that the service does not take, though it answers everything else', async () => {
  const { bench, mend } = await refusing(503, (path) => path.endsWith('/complete'))
  await bench.pass(MINUTE)
  expect(bench.daemon.readiness()).toMatchObject({
    ready: false,
    reasons: [expect.stringMatching(/^all slots hold results that the service does not take: complete_clink: 503/)],
  })
  mend()
  await bench.pass(MINUTE)
  expect([bench.all('clink.completed').length, bench.daemon.readiness()]).toEqual([3, { ready: true, reasons: [] }])
  await bench.stop()
})

it('one with a slot that is free for other clinks is ready', async () => {
  const bench = new VirtualBench({
    settings: { concurrency: 2 },
    weather: ({ path }) => (path.endsWith('/complete') ? answer(503) : undefined),
    handle: async () => await Promise.resolve('done'),
  })
  bench.send('work')
  await bench.pass(MINUTE)
  expect(bench.all('clink.settlementFailed').length).toBeGreaterThan(1)
  expect(bench.daemon.readiness()).toEqual({ ready: true, reasons: [] })
  await bench.stop()
})

it('§9: --once ends with 77 where the key is refused while all its slots hold results', async () => {
  const { bench } = await refusing(401, () => true, { once: {} })
  let exit: number | undefined
  void bench.daemon.ended.then((code) => (exit = code))
  await bench.pass(2 * MINUTE)
  expect(exit).toBe(77)
})
