import { describe, expect, it, vi } from 'vitest'
import { Capacity } from '../../src/worker/capacity/capacity.ts'
import type { TransportRequest } from '../../src/clink/transport.ts'
import { answer, HOUR, MINUTE, VirtualBench, type VirtualOptions, type Weather } from '../support/virtual.ts'

const DAY = 24 * HOUR
const isPoll = ({ path }: TransportRequest): boolean => path.startsWith('/inbox')
const isClaim = ({ path }: TransportRequest): boolean => path.endsWith('/claim')
const isComplete = ({ path }: TransportRequest): boolean => path.endsWith('/complete')
const tenMinutes: VirtualOptions['handle'] = async (_, { signal }, bench) => await bench.take(10 * MINUTE, signal)
const quick: VirtualOptions['handle'] = () => Promise.resolve('done')

/** Minutes until it is not alive any more, and why. */
async function death(bench: VirtualBench, within: number): Promise<{ after: number; reasons: readonly string[] }> {
  const start = bench.time.now
  let found: { after: number; reasons: readonly string[] } | undefined
  await bench.watch(within, () => {
    const { alive, reasons } = bench.daemon.liveness()
    if (!alive) found ??= { after: (bench.time.now - start) / MINUTE, reasons }
  })
  return found ?? { after: Infinity, reasons: [] }
}

// Days take seconds, and more on a machine that has other things to do.
describe('P12: a worker is alive', { timeout: 120_000 }, () => {
  it('through a day without work', async () => {
    const bench = new VirtualBench({ handle: quick })
    expect(await death(bench, DAY)).toEqual({ after: Infinity, reasons: [] })
    expect(bench.sent.length).toBeGreaterThan(DAY / 15_000 - 10)
    await bench.stop()
  })

  it.each<[string, Weather]>([
    ['503', answer(503)],
    ['no answer', 'hang'],
    ['429 for an hour at a time', answer(429, { 'retry-after': '3600' })],
    ['401', answer(401)],
  ])('through a day on which the service gives %s', async (_, weather) => {
    const bench = new VirtualBench({ handle: quick, weather: () => weather })
    expect(await death(bench, DAY)).toEqual({ after: Infinity, reasons: [] })
    expect(bench.sent.length).toBeGreaterThan(20)
    await bench.stop()
  })

  it('through a day in which every slot is taken by handlers of ten minutes', async () => {
    const bench = new VirtualBench({ handle: tenMinutes, settings: { concurrency: 3, handlers: { timeout: HOUR } } })
    for (let n = 0; n < 2_000; n += 1) bench.send(`task ${n}`)
    expect(await death(bench, DAY)).toEqual({ after: Infinity, reasons: [] })
    expect(bench.daemon.totals().completed).toBeGreaterThan(3 * 6 * 23)
    await bench.stop()
  })

  it('through hours between two renewals', async () => {
    const bench = new VirtualBench({
      handle: async (_, { signal }, own) => await own.take(11 * HOUR, signal),
      switches: { defaultTimeout: 36_000 },
      settings: { claim: { timeout: 10 * HOUR }, handlers: { timeout: DAY } },
    })
    bench.send('task')
    expect(await death(bench, 12 * HOUR)).toEqual({ after: Infinity, reasons: [] })
    expect(bench.daemon.totals().completed).toBe(1)
    await bench.stop()
  })

  it.each<[string, Weather, number]>([
    ['503, and the result is given up', answer(503), 50],
    ['429 for four minutes at a time', answer(429, { 'retry-after': '240' }), 20],
  ])('while the service gives %s to a settlement for hours', async (_, weather, tries) => {
    const bench = new VirtualBench({
      handle: quick,
      weather: (request) => (isComplete(request) ? weather : undefined),
    })
    bench.send('task')
    expect(await death(bench, 2 * HOUR)).toEqual({ after: Infinity, reasons: [] })
    expect(bench.sent.filter(({ path }) => path.endsWith('/complete')).length).toBeGreaterThan(tries)
    await bench.stop()
  })

  it('while a clink is held for hours', async () => {
    const bench = new VirtualBench({
      handle: async (_, ctx) => await Promise.resolve(ctx.retryAfter('3h')),
      settings: { claim: { timeout: 5 * MINUTE, maxHold: 6 * HOUR } },
    })
    bench.send('task')
    expect(await death(bench, 5 * HOUR)).toEqual({ after: Infinity, reasons: [] })
    await bench.stop()
  })

  it('while some slots are stuck and others are not', async () => {
    const bench = new VirtualBench({
      handle: async ({ content }) => await (content === 'stuck' ? new Promise(() => {}) : Promise.resolve('done')),
      settings: { concurrency: 2, handlers: { timeout: MINUTE, grace: 30_000 } },
    })
    bench.send('stuck')
    expect(await death(bench, 2 * HOUR)).toEqual({ after: Infinity, reasons: [] })
    expect(bench.daemon.snapshot().stuck).toBe(1)
    await bench.stop()
  })
})

describe('P12: a worker is not alive, though it answers', () => {
  it('when a poll hangs beyond its own timeout', async () => {
    const bench = new VirtualBench({
      handle: quick,
      weather: (request, now) => (isPoll(request) && now > 10 * MINUTE ? 'deaf' : undefined),
    })
    await bench.pass(10 * MINUTE)
    expect(bench.daemon.liveness()).toEqual({ alive: true, reasons: [] })
    const { after, reasons } = await death(bench, HOUR)
    expect(reasons).toEqual([
      expect.stringMatching(/^the poll stands still since \dm .* ago; it was due \d+(\.\d)?s ago$/),
    ])
    expect(after).toBeLessThanOrEqual(7)
  })

  it('when no slot is free for minutes though nothing has one', async () => {
    const bench = new VirtualBench({ handle: quick })
    await bench.pass(MINUTE)
    vi.spyOn(Capacity.prototype, 'free', 'get').mockReturnValue(0)
    const { after, reasons } = await death(bench, HOUR)
    vi.restoreAllMocks()
    expect(reasons).toEqual([
      expect.stringMatching(/^no slot is free for 5m.*, though nothing runs: this is a mistake/),
    ])
    expect(after).toBeGreaterThanOrEqual(5)
    expect(after).toBeLessThanOrEqual(7)
    await bench.stop()
  })

  it('when a renewal hangs beyond its own timeout', async () => {
    const bench = new VirtualBench({
      handle: tenMinutes,
      weather: (request) => (isClaim(request) ? 'deaf' : undefined),
    })
    const id = bench.send('task')
    const { after, reasons } = await death(bench, 10 * MINUTE)
    expect(reasons).toEqual([expect.stringContaining(`the renewal of ${id} stands still`)])
    // Before the claim ends.
    expect(after).toBeLessThan(4.5)
  })

  it('when a settlement hangs beyond its own timeout', async () => {
    const bench = new VirtualBench({
      handle: quick,
      weather: (request) => (isComplete(request) ? 'deaf' : undefined),
    })
    const id = bench.send('task')
    const { after, reasons } = await death(bench, HOUR)
    expect(reasons).toEqual([expect.stringContaining(`the settlement of ${id} stands still`)])
    expect(after).toBeLessThanOrEqual(5)
  })

  it('when all slots are stuck for five minutes', async () => {
    const bench = new VirtualBench({
      handle: async () => await new Promise(() => {}),
      settings: { concurrency: 2, handlers: { timeout: MINUTE, grace: 30_000 } },
    })
    for (const text of ['one', 'two', 'three']) bench.send(text)
    const { after, reasons } = await death(bench, HOUR)
    expect(reasons).toEqual([expect.stringMatching(/^no slot is free for 5m /)])
    expect(after).toBe(7)
  })
})

describe('P12: what is late because the machine slept', () => {
  it('is given a moment to come round before a probe is told', async () => {
    const bench = new VirtualBench({ handle: quick, longestTimer: 1_000 })
    await bench.pass(MINUTE)
    bench.slept += HOUR
    expect(bench.daemon.liveness().alive).toBe(false)
    const told = bench.daemon.settledLiveness()
    await bench.pass(MINUTE)
    expect(await told).toEqual({ alive: true, reasons: [] })
    await bench.stop()
  })

  it('is told all the same when it does not', async () => {
    const bench = new VirtualBench({ handle: quick, weather: () => 'deaf' })
    await bench.pass(HOUR)
    const told = bench.daemon.settledLiveness()
    await bench.pass(MINUTE)
    expect(await told).toMatchObject({ alive: false })
  })
})
