import { describe, expect, it } from 'vitest'
import { answer, HOUR, MINUTE, VirtualBench, type VirtualOptions } from '../../support/virtual.ts'

const long: VirtualOptions['handle'] = async (_, { signal }, bench) => await bench.take(HOUR, signal)
const isCount = (path: string): boolean =>
  path.startsWith('/inbox') && path.includes('limit=100') && !path.includes('claim')

/** Asks as often as a scrape would. @returns what it was told last. */
async function scraped(bench: VirtualBench, ms: number, every = 5_000) {
  const end = bench.time.now + ms
  while (bench.time.now < end) {
    void bench.daemon.gauges().inbox
    await bench.pass(every)
  }
  return bench.daemon.gauges().inbox
}

const counts = (bench: VirtualBench): number => bench.sent.filter(({ path }) => isCount(path)).length

describe('§7: what waits in the inbox', () => {
  const full = { settings: { concurrency: 1, handlers: { timeout: 2 * HOUR }, inbox: { claim: 'batch' } } } as const

  it('is counted every 30 s while somebody asks, and claims nothing', async () => {
    const bench = new VirtualBench({ handle: long, ...full })
    bench.send('one')
    await bench.pass(MINUTE)
    expect(counts(bench)).toBe(0)
    const [two, three] = [bench.send('two'), bench.send('three')]
    const inbox = await scraped(bench, 5 * MINUTE)
    expect(inbox).toMatchObject({ pending: 2, leftAlone: 0, isSaturated: false })
    expect(inbox?.oldest).toBeGreaterThan(4 * MINUTE)
    expect(counts(bench)).toBe(11)
    expect([two, three].map((id) => bench.emulator.clink(id)?.status)).toEqual(['pending', 'pending'])
    await bench.pass(10 * MINUTE)
    expect(counts(bench)).toBe(11)
    await bench.stop()
  })

  it('what the worker leaves alone is counted apart, a dead letter that others may take among it', async () => {
    const bench = new VirtualBench({
      handle: async (clink, ctx, own) => (clink.content === 'bad' ? ctx.reject('no') : await long(clink, ctx, own)),
      settings: {
        ...full.settings,
        claim: { exclusive: true },
        retry: { onExhausted: 'release' },
        inbox: { claim: 'select' },
      },
    })
    bench.send('bad')
    await bench.pass(MINUTE)
    bench.send('work')
    await bench.pass(MINUTE)
    bench.send('more work')
    expect(await scraped(bench, MINUTE)).toMatchObject({ pending: 1, leftAlone: 1 })
    await bench.stop()
  })

  it('a clink that was left alone and has gone to others is not counted among those, and is again when it comes back', async () => {
    const bench = new VirtualBench({
      handle: async (_, ctx) => await Promise.resolve(ctx.reject('no')),
      settings: { claim: { exclusive: true }, retry: { onExhausted: 'release' }, inbox: { claim: 'select' } },
    })
    const leftAlone = () => [...bench.daemon.worker.report().leftAlone]
    const [one, two] = [bench.send('one'), bench.send('two')]
    await bench.pass(MINUTE)
    await scraped(bench, MINUTE)
    expect(leftAlone()).toEqual([['given-up', 2]])
    bench.emulator.changeClink(one, { status: 'completed' })
    await scraped(bench, MINUTE)
    expect(leftAlone()).toEqual([['given-up', 1]])
    bench.emulator.changeClink(one, { status: 'pending' })
    await bench.pass(10 * MINUTE)
    expect(leftAlone()).toEqual([['given-up', 2]])
    expect(bench.events.filter(({ event }) => event === 'clink.leftAlone')).toHaveLength(2)
    bench.emulator.changeClink(two, { status: 'completed' })
    // One that an operator has run again is left alone no more, before anybody has looked.
    await bench.daemon.ledger.retry(one)
    bench.daemon.retried(one)
    expect(leftAlone()).toEqual([['given-up', 1]])
    await bench.stop()
  })

  it('what is left alone has as many reasons as there are, also of what no claim has come across, and what was discarded waits for nobody', async () => {
    const bench = new VirtualBench({
      handle: async (clink, ctx, own) => (clink.content === 'bad' ? ctx.reject('no') : await long(clink, ctx, own)),
      settings: {
        concurrency: 1,
        handlers: { timeout: 2 * HOUR },
        claim: { exclusive: true },
        retry: { onExhausted: 'release' },
        inbox: { claim: 'select', ignore: ['user_alice'] },
      },
    })
    const told = async () => {
      void bench.daemon.worker.lookAtInbox()
      await bench.pass(2_000)
      const { inbox, leftAlone, notWorked } = bench.daemon.worker.report()
      return {
        inbox,
        leftAlone: Object.fromEntries(leftAlone),
        notWorked: notWorked.map(({ count, why }) => [why, count]),
      }
    }
    const [one, two] = [bench.send('bad'), bench.send('bad')]
    await bench.pass(MINUTE)
    // From now on the only slot is taken, and the inbox is looked at by nobody but who asks.
    bench.send('work')
    await bench.pass(MINUTE)
    for (let n = 0; n < 3; n += 1) bench.emulator.send('ops', 'not for us', { from: 'alice' })
    expect(await told()).toMatchObject({ inbox: { leftAlone: 5 }, leftAlone: { 'given-up': 2, 'inbox.ignore': 3 } })
    await bench.daemon.ledger.discard(one)
    expect(bench.daemon.worker.report().inbox?.leftAlone).toBe(5)
    expect(await told()).toEqual({
      inbox: { pending: 0, leftAlone: 5, isSaturated: false, isStarved: false },
      leftAlone: { 'given-up': 1, discarded: 1, 'inbox.ignore': 3 },
      notWorked: [
        ['inbox.ignore', 3],
        ['given-up', 1],
      ],
    })
    await bench.daemon.ledger.retry(two)
    bench.daemon.retried(two)
    const { inbox, leftAlone } = bench.daemon.worker.report()
    expect([inbox, Object.fromEntries(leftAlone)]).toEqual([
      { pending: 1, leftAlone: 4, isSaturated: false, isStarved: false },
      { discarded: 1, 'inbox.ignore': 3 },
    ])
    await bench.stop()
  })

  it('says when there may be more than it shows', async () => {
    const bench = new VirtualBench({ handle: long, ...full })
    for (let n = 0; n < 150; n += 1) bench.send(`task ${n}`)
    await bench.pass(MINUTE)
    expect(await scraped(bench, MINUTE)).toMatchObject({ pending: 100, isSaturated: true })
    await bench.stop()
  })

  it('is not asked for while polls fail, nor sooner than the service wants; what is too old is not told', async () => {
    let isAway = false
    const bench = new VirtualBench({ handle: long, ...full, weather: () => (isAway ? answer(503) : undefined) })
    // A slot stays free, so that the worker polls.
    bench.change({ ...full.settings, concurrency: 2 })
    bench.send('one')
    expect(await scraped(bench, 2 * MINUTE)).toMatchObject({ pending: 0 })
    isAway = true
    await scraped(bench, 3 * MINUTE)
    const before = counts(bench)
    expect(await scraped(bench, HOUR)).toBeUndefined()
    expect(counts(bench)).toBe(before)
    isAway = false
    expect(await scraped(bench, 10 * MINUTE)).toMatchObject({ pending: 0 })
    await bench.stop()
  })

  it('is asked for less and less while only that fails', async () => {
    const retry = { 'retry-after': '600' }
    let status = 503
    const bench = new VirtualBench({
      handle: long,
      ...full,
      weather: ({ path }) => (isCount(path) ? answer(status, status === 429 ? retry : {}) : undefined),
    })
    bench.send('one')
    await bench.pass(MINUTE)
    await scraped(bench, HOUR)
    expect(counts(bench)).toBeLessThanOrEqual(15)
    status = 429
    await scraped(bench, 5 * MINUTE)
    const before = counts(bench)
    await scraped(bench, HOUR)
    expect(counts(bench) - before).toBeLessThanOrEqual(6)
    expect(bench.daemon.liveness().alive).toBe(true)
    await bench.stop()
  })
})
