import { describe, expect, it } from 'vitest'
import type { TransportRequest, TransportResponse } from '../../src/clink/transport.ts'
import { levelOf } from '../../src/observe/levels.ts'
import { answer, HOUR, MINUTE, VirtualBench, type Sent, type VirtualOptions } from '../support/virtual.ts'

const SECOND = 1_000
const isPoll = ({ path }: Sent | TransportRequest): boolean => path.startsWith('/inbox')
const isClaimingPoll = (sent: Sent | TransportRequest): boolean => isPoll(sent) && sent.path.includes('claim=true')
const isRenewal = ({ path }: Sent): boolean => path.endsWith('/claim')
const long: VirtualOptions['handle'] = async ({ content }, { signal }, bench) => {
  await bench.take(content === 'short' ? SECOND : 10 * MINUTE, signal)
  return 'done'
}

describe('P4, §3: while the service gives 503 for two minutes', () => {
  const from = MINUTE
  const end = 3 * MINUTE
  const outage = async (): Promise<VirtualBench> => {
    const bench = new VirtualBench({
      handle: long,
      weather: (_, now) => (now >= from && now < end ? answer(503) : undefined),
      settings: { concurrency: 11, handlers: { timeout: HOUR } },
    })
    for (let n = 0; n < 10; n += 1) bench.send(`task ${n}`)
    await bench.pass(end)
    return bench
  }

  it('no lease is lost, and it is not asked more often than the backoff says', async () => {
    const bench = await outage()
    const during = bench.sent.filter(({ at }) => at >= from && at < end)
    // Waits with full jitter up to 15 s: half of that between two, and some short ones at first.
    expect(during.filter(isPoll).length).toBeLessThan(40)
    expect(during.filter(isPoll).length).toBeGreaterThan(6)
    expect(during.filter(isClaimingPoll)).toHaveLength(1)
    // Each of ten leases of five minutes is due for a renewal about once, and is tried again every few seconds.
    expect(during.filter(isRenewal).length).toBeLessThan(10 * 30)
    expect(during.filter(isRenewal).length).toBeGreaterThan(10)
    await bench.pass(10 * MINUTE)

    expect(bench.all('clink.lost')).toEqual([])
    expect(bench.daemon.totals()).toMatchObject({ completed: 10, lost: 0 })
    expect(bench.all('clink.started')).toHaveLength(10)
    await bench.stop()
  })

  it('the log says once that renewals fail, and once that they do not any more', async () => {
    const bench = await outage()
    await bench.pass(10 * MINUTE)
    const failed = bench.all('clink.renewalFailed')
    expect(failed.length).toBeGreaterThan(10)
    expect(failed.filter((event) => levelOf(event) === 'warn')).toHaveLength(1)
    expect(bench.all('renewals.recovered')).toMatchObject([{ failures: failed.length }])
    const [{ duration } = { duration: 0 }] = bench.all('renewals.recovered')
    expect(duration).toBeGreaterThan(MINUTE)
    await bench.stop()
  })

  it('the same of results that are not taken', async () => {
    const bench = new VirtualBench({
      handle: async () => await Promise.resolve('done'),
      weather: ({ path }, now) => (path.endsWith('/complete') && now < MINUTE ? answer(503) : undefined),
    })
    for (let n = 0; n < 5; n += 1) bench.send(`task ${n}`)
    await bench.pass(3 * MINUTE)
    const failed = bench.all('clink.settlementFailed')
    expect(failed.length).toBeGreaterThan(20)
    expect(failed.filter((event) => levelOf(event) === 'warn')).toHaveLength(1)
    expect(bench.all('settlements.recovered')).toMatchObject([{ failures: failed.length }])
    await bench.stop()
  })

  it('claiming goes on within poll.maxInterval of the recovery', async () => {
    const bench = await outage()
    const id = bench.send('short')
    await bench.pass(15 * SECOND)
    expect(bench.sent.some((sent) => isClaimingPoll(sent) && sent.at >= end)).toBe(true)
    await bench.pass(2 * SECOND)
    expect(bench.emulator.clink(id)?.status).toBe('completed')
    await bench.stop()
  })
})

describe('P4, §3: 429 with Retry-After: 7', () => {
  const poll = { interval: 200, maxInterval: SECOND }
  const busy = (only: (request: TransportRequest) => boolean): VirtualBench => {
    let isOver = false
    return new VirtualBench({
      handle: long,
      // Once, to the first such request after a minute.
      weather: (request, now) => {
        if (isOver || now < MINUTE || !only(request)) return undefined
        isOver = true
        return answer(429, { 'retry-after': '7' })
      },
      switches: { defaultTimeout: 12 },
      settings: { concurrency: 5, claim: { timeout: 12 * SECOND }, handlers: { timeout: HOUR }, poll },
    })
  }

  it('to a poll: none is sent for seven seconds, and renewals go on', async () => {
    const bench = busy(isPoll)
    const ids = ['one', 'two'].map((text) => bench.send(text))
    await bench.pass(2 * MINUTE)
    const polls = bench.sent.filter(isPoll)
    const refused = polls.findIndex(({ at }) => at >= MINUTE)
    const since = polls[refused]?.at ?? 0
    const next = polls[refused + 1]?.at ?? 0
    expect(next - since).toBeGreaterThanOrEqual(7 * SECOND)
    // And not much later.
    expect(next - since).toBeLessThan(10 * SECOND)
    const renewed = bench.sent.filter((sent) => isRenewal(sent) && sent.at > since && sent.at < next)
    for (const id of ids) expect(renewed.some(({ path }) => path.includes(id))).toBe(true)
    expect(bench.all('clink.lost')).toEqual([])
    await bench.stop()
  })

  it('to a renewal: polls stay behind it, and the claim is kept', async () => {
    const bench = busy(({ path }) => path.endsWith('/claim'))
    bench.send('one')
    await bench.pass(2 * MINUTE)
    const renewals = bench.sent.filter(isRenewal)
    const refused = renewals.findIndex(({ at }) => at >= MINUTE)
    const since = renewals[refused]?.at ?? 0
    const next = renewals[refused + 1]?.at ?? 0
    expect(bench.sent.filter((sent) => isPoll(sent) && sent.at > since + 10 && sent.at < next)).toEqual([])
    expect(next - since).toBeGreaterThan(2 * SECOND)
    // It would have been sent within a second.
    expect(bench.sent.some((sent) => isPoll(sent) && sent.at >= next && sent.at < next + 2 * SECOND)).toBe(true)
    expect(bench.all('clink.lost')).toEqual([])
    await bench.stop()
  })
})

describe('P12, §3: a wait that the service asks for and that would be silence', () => {
  /** Once, to the first such request. */
  const once = (
    only: (request: TransportRequest) => boolean,
    weather: TransportResponse,
  ): VirtualOptions['weather'] => {
    let isOver = false
    return (request) => {
      if (isOver || !only(request)) return undefined
      isOver = true
      return weather
    }
  }

  it.each([
    ['a day', '86400'],
    ['years', '99999999999'],
    ['until 2099', 'Fri, 20 Nov 2099 08:00:00 GMT'],
  ])('(%s, said to a poll) is kept for an hour at most', async (_, after) => {
    const weather = once(isPoll, answer(503, { 'retry-after': after }))
    const bench = new VirtualBench({ handle: long, ...(weather && { weather }) })
    const id = bench.send('short')
    await bench.pass(HOUR - MINUTE)
    expect(bench.sent).toHaveLength(1)
    await bench.pass(2 * MINUTE)
    expect(bench.emulator.clink(id)?.status).toBe('completed')
    await bench.stop()
  })

  it('(an hour, said to a completion) keeps polls silent no longer than that completion waits', async () => {
    const weather = once(({ path }) => path.endsWith('/complete'), answer(429, { 'retry-after': '3600' }))
    const bench = new VirtualBench({ handle: long, ...(weather && { weather }) })
    const first = bench.send('short')
    await bench.pass(6 * MINUTE)
    expect(bench.emulator.clink(first)?.status).toBe('completed')
    const second = bench.send('short')
    await bench.pass(MINUTE)
    expect(bench.emulator.clink(second)?.status).toBe('completed')
    await bench.stop()
  })
})

describe('P2, §2: clocks that do not agree', () => {
  it.each(['5h', '-5h'])('a service that is %s ahead costs no lease over an hour of work', async (clockSkew) => {
    const bench = new VirtualBench({
      handle: async (_, { signal }, own) => await own.take(HOUR, signal),
      switches: { clockSkew },
      settings: { handlers: { timeout: 2 * HOUR } },
    })
    const id = bench.send('task')
    await bench.pass(HOUR + MINUTE)
    expect(bench.emulator.clink(id)?.status).toBe('completed')
    expect(bench.all('clink.lost')).toEqual([])
    await bench.stop()
  })

  it('a wall clock that is set back by hours costs no lease, and nothing waits for it', async () => {
    const bench = new VirtualBench({ handle: long, settings: { handlers: { timeout: HOUR } } })
    const id = bench.send('task')
    await bench.pass(MINUTE)
    bench.wallJump -= 5 * HOUR
    await bench.pass(10 * MINUTE)
    expect(bench.emulator.clink(id)?.status).toBe('completed')
    expect(bench.all('clink.lost')).toEqual([])
    const next = bench.send('short')
    await bench.pass(20 * SECOND)
    expect(bench.emulator.clink(next)?.status).toBe('completed')
    await bench.stop()
  })

  it('a machine that slept for longer than the lease has lost it, sends nothing for it, and does the work again', async () => {
    const bench = new VirtualBench({ handle: long, longestTimer: SECOND, settings: { handlers: { timeout: HOUR } } })
    const id = bench.send('task')
    await bench.pass(MINUTE)
    bench.slept += HOUR
    bench.emulator.moveClock(HOUR)
    const woke = bench.time.now
    await bench.pass(20 * SECOND)
    expect(bench.all('clink.lost')).toMatchObject([{ cause: 'expired' }])
    expect(bench.sent.filter(({ path, at }) => at >= woke && path.includes(id))).toEqual([])
    expect(bench.all('clink.started')).toHaveLength(2)
    await bench.pass(11 * MINUTE)
    expect(bench.emulator.clink(id)?.status).toBe('completed')
    await bench.stop()
  })
})

describe('P7, P10, §3: a service that answers lists, and claiming polls with errors', () => {
  it('is asked to claim no more often than the backoff says, and is not taken for well', async () => {
    const bench = new VirtualBench({
      handle: long,
      weather: (request) => (isClaimingPoll(request) ? answer(500) : undefined),
    })
    bench.send('short')
    await bench.pass(10 * MINUTE)
    // Waits with full jitter up to 15 s, and some short ones at first.
    expect(bench.sent.filter(isClaimingPoll).length).toBeLessThan(120)
    expect(bench.all('poll.failed').some(({ failures }) => failures >= 3)).toBe(true)
    await bench.stop()
  })

  it('keeps a claim waiting no longer than the backoff once it claims again', async () => {
    const bench = new VirtualBench({
      handle: long,
      weather: (request, now) => (now < 5 * MINUTE && isClaimingPoll(request) ? answer(500) : undefined),
    })
    const id = bench.send('short')
    await bench.pass(5 * MINUTE + 20 * SECOND)
    expect(bench.emulator.clink(id)?.status).toBe('completed')
    const next = bench.send('short')
    await bench.pass(17 * SECOND)
    expect(bench.emulator.clink(next)?.status).toBe('completed')
    await bench.stop()
  })
})
