import { expect, it } from 'vitest'
import { answer, MINUTE, VirtualBench } from '../../support/virtual.ts'

const select = { inbox: { claim: 'select' }, claim: { exclusive: true } } as const
const done = async (): Promise<string> => await Promise.resolve('done')

it.for([1, 2, 4])('P7, §3: clinks whose claims always fail hold up no others (%i slots)', async (concurrency) => {
  const sour = new Set<string>()
  const bench = new VirtualBench({
    settings: { ...select, concurrency },
    weather: ({ path }) => (path.endsWith('/claim') && sour.has(path.split('/')[2] ?? '') ? answer(500) : undefined),
    handle: done,
  })
  for (let n = 0; n < 6; n += 1) sour.add(bench.send('sour'))
  const good = Array.from({ length: 50 }, () => bench.send('good'))
  await bench.pass(MINUTE)

  expect(good.filter((id) => bench.emulator.clink(id)?.status !== 'completed')).toEqual([])
  await bench.stop()
})

it('P10, §3: while claims by id fail one after the other, each look is followed by one of them', async () => {
  const bench = new VirtualBench({
    settings: { ...select, concurrency: 8 },
    weather: ({ path }, now) => (path.endsWith('/claim') && now < 2 * MINUTE ? answer(503) : undefined),
    handle: done,
  })
  const ids = Array.from({ length: 50 }, () => bench.send('work'))
  await bench.pass(2 * MINUTE)
  const claims = bench.all('clink.claimFailed').length
  const looks = bench.all('poll.failed').length
  await bench.pass(MINUTE)

  expect(looks).toBeGreaterThan(10)
  expect(claims).toBeLessThanOrEqual(looks + 8)
  expect(ids.filter((id) => bench.emulator.clink(id)?.status !== 'completed')).toEqual([])
  await bench.stop()
})

it('P10, §3: a clink whose claim fails is not claimed more often for being listed again and again', async () => {
  let sour = ''
  const bench = new VirtualBench({
    settings: { ...select, poll: { maxInterval: 1_000, sweep: 2_000 } },
    weather: ({ path }) => (path.endsWith('/claim') && path.includes(sour) ? answer(500) : undefined),
    handle: done,
  })
  sour = bench.send('sour')
  await bench.pass(10 * MINUTE)

  expect(bench.sent.filter(({ path }) => !path.endsWith('/claim')).length).toBeGreaterThan(200)
  expect(bench.all('clink.claimFailed').length).toBeLessThan(15)
  await bench.stop()
})
