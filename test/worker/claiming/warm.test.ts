import { describe, expect, it } from 'vitest'
import { answer, HOUR, MINUTE, VirtualBench, type VirtualOptions } from '../../support/virtual.ts'

const SECOND = 1_000
const warm = { warm: { interval: 250, for: 30 * SECOND } }

/** Polls from then on until some time after it. */
function polls(bench: VirtualBench, from: number, ms: number): number {
  return bench.sent.filter(({ at, path }) => path.startsWith('/inbox') && at >= from && at < from + ms).length
}

async function idleBench(options: Partial<VirtualOptions> = {}): Promise<VirtualBench> {
  const bench = new VirtualBench({
    handle: async () => 'done',
    settings: { poll: warm, handlers: { timeout: HOUR } },
    ...options,
  })
  await bench.pass(10 * MINUTE)
  return bench
}

describe('the inbox is looked at faster after an answer of ours', () => {
  it('what follows the answer is claimed within poll.warm.interval', async () => {
    const bench = await idleBench()
    bench.send('first')
    while (bench.all('clink.completed').length === 0) await bench.pass(100)
    await bench.pass(10 * SECOND)
    const id = bench.send('second')
    await bench.pass(300)
    expect(bench.emulator.clink(id)?.status).toBe('completed')
    await bench.stop()
  })

  it('an answer cuts the wait of an inbox that was empty for long', async () => {
    // It runs on while the polls have become slow again.
    const handle: VirtualOptions['handle'] = async ({ content }, { signal }, bench) => {
      if (content === 'long') await bench.take(2 * MINUTE + 3 * SECOND, signal)
      return 'done'
    }
    const bench = await idleBench({ handle })
    bench.send('long')
    while (bench.all('clink.completed').length === 0) await bench.pass(100)
    const id = bench.send('an answer to the answer')
    await bench.pass(600)
    expect(bench.emulator.clink(id)?.status).toBe('completed')
    await bench.stop()
  })

  it('and slowly again when poll.warm.for is over', async () => {
    const bench = await idleBench()
    const idle = polls(bench, 9 * MINUTE, MINUTE)
    bench.send('first')
    while (bench.all('clink.completed').length === 0) await bench.pass(100)
    const from = bench.time.now
    await bench.pass(3 * MINUTE)
    // Each wait is between half of the interval and all of it.
    expect(polls(bench, from, 30 * SECOND)).toBeGreaterThan(30_000 / 250)
    expect(polls(bench, from, 30 * SECOND)).toBeLessThan(30_000 / 125)
    expect(polls(bench, from + 2 * MINUTE, MINUTE)).toBeLessThan(2 * idle)
    await bench.stop()
  })

  it('not where nobody was sent anything', async () => {
    const bench = await idleBench({ handle: async () => undefined })
    bench.send('first')
    await bench.pass(MINUTE)
    expect(bench.daemon.totals()).toMatchObject({ completed: 1 })
    expect(polls(bench, 10 * MINUTE, MINUTE)).toBeLessThan(20)
    await bench.stop()
  })

  it('§3: not while the service is failing', async () => {
    const handle: VirtualOptions['handle'] = async (_, { signal }, bench) => {
      await bench.take(30 * SECOND, signal)
      return 'done'
    }
    const isAway = ({ path }: { readonly path: string }, now: number): boolean =>
      path.startsWith('/inbox') && now > 11 * MINUTE
    const weather: VirtualOptions['weather'] = (request, now) => (isAway(request, now) ? answer(503) : undefined)
    const bench = await idleBench({ handle, weather })
    await bench.pass(45 * SECOND)
    bench.send('answered during the outage')
    await bench.pass(2 * MINUTE)
    expect(bench.daemon.totals()).toMatchObject({ completed: 1 })
    // Backoff with full jitter up to fifteen seconds, and not four polls a second.
    expect(polls(bench, 11 * MINUTE, MINUTE)).toBeLessThan(25)
    await bench.stop()
  })
})
