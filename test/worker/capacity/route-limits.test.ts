import { describe, expect, it } from 'vitest'
import type { Clink } from '../../../src/clink/records.ts'
import type { StoredClink } from '../../../src/emulator/emulator.ts'
import type { Limits } from '../../../src/handlers/route.ts'
import { MINUTE, VirtualBench, type VirtualOptions } from '../../support/virtual.ts'

const SECOND = 1_000

type Facts = Pick<Clink, 'content' | 'sender_id'>

interface Run {
  readonly clink: Clink
  readonly at: number
  until: number
}

/** A worker whose runs take a second, and which notes the most that was claimed at a time. */
class Limited {
  readonly runs: Run[] = []
  readonly bench: VirtualBench
  readonly fails: Set<string>
  /** Milliseconds that a run takes. */
  lasts = SECOND
  /** Clinks that fail for now. */
  failing = /^$/

  constructor(limits: Limits, settings: VirtualOptions['settings'] = {}, fails: readonly string[] = []) {
    this.fails = new Set(fails)
    this.bench = new VirtualBench({
      limits,
      settings: { concurrency: 8, retry: { attempts: 3, backoff: 5 * SECOND, maxBackoff: 5 * SECOND }, ...settings },
      handle: async (clink, { signal }, bench) => {
        const run = { clink, at: bench.time.now, until: Infinity }
        this.runs.push(run)
        await bench.take(this.lasts, signal)
        run.until = bench.time.now
        if (this.failing.test(clink.content) || this.fails.delete(clink.content)) throw new Error('not yet')
      },
    })
  }

  send(text: string, from = 'bob'): StoredClink {
    return this.bench.emulator.send('ops', text, { from })
  }

  get limited(): readonly Run[] {
    return this.runs.filter(({ clink }) => !clink.content.startsWith('free'))
  }

  /** Lets time pass, and looks often. @returns the most clinks that the service had as claimed at once. */
  async pass(ms: number, counts: (clink: Facts) => string | undefined = () => 'all'): Promise<number> {
    let most = 0
    for (const end = this.bench.time.now + ms; this.bench.time.now < end;) {
      await this.bench.pass(100)
      const claimed = this.bench.emulator.clinks().filter(({ status }) => status === 'claimed')
      const groups = Object.groupBy(claimed, (clink) => counts(clink) ?? '')
      for (const [key, list] of Object.entries(groups)) if (key !== '') most = Math.max(most, list?.length ?? 0)
    }
    return most
  }

  get left(): number {
    return this.bench.emulator.clinks().filter(({ status }) => status !== 'completed').length
  }
}

const select = { inbox: { claim: 'select' }, claim: { exclusive: true } } as const
const batch = { inbox: { claim: 'batch' } } as const

/** How many of these run at once at most. */
function mostAtOnce(runs: readonly Run[]): number {
  return Math.max(...runs.map(({ at }) => runs.filter((run) => run.at <= at && run.until > at).length))
}

const isLimited = ({ content }: Facts): string | undefined => (content.startsWith('free') ? undefined : 'limited')

describe.each([
  ['claims by id', select],
  ['polls', batch],
] as const)('limits of routes hold exactly, with %s (§4)', (how, settings) => {
  it('concurrency: so many at once, and what is behind them goes on (P6)', async () => {
    const limited = new Limited({ concurrency: 2 }, settings)
    for (let n = 0; n < 5; n += 1) limited.send(`work ${n}`)
    limited.send('free 1')
    const claimed = await limited.pass(20 * SECOND, isLimited)
    expect(mostAtOnce(limited.limited)).toBe(2)
    expect(limited.left).toBe(0)
    const free = limited.runs.find(({ clink }) => clink.content === 'free 1')
    expect(free?.at).toBeLessThan(6 * SECOND)
    if (how === 'claims by id') expect(claimed).toBe(2)
    await limited.bench.stop()
  })

  it('rate: 5/1s over 50 clinks, retries included, and a process begins with a used-up window', async () => {
    const rate = { count: 5, window: SECOND }
    const limited = new Limited({ rate }, { ...settings, concurrency: 60 }, ['work 3', 'work 7'])
    for (let n = 0; n < 50; n += 1) limited.send(`work ${n}`)
    await limited.pass(40 * SECOND)
    expect(limited.runs).toHaveLength(52)
    expect(limited.left).toBe(0)
    const starts = limited.runs.map(({ at }) => at)
    expect(starts[0]).toBeGreaterThanOrEqual(SECOND)
    const inWindow = (from: number): number => starts.filter((at) => at >= from && at < from + SECOND).length
    expect(Math.max(...starts.map(inWindow))).toBe(5)
    await limited.bench.stop()
  })

  it('weight: 4 at concurrency 8 never runs three, and what is behind them goes on (P6)', async () => {
    const limited = new Limited({ weight: 4 }, settings)
    for (let n = 0; n < 7; n += 1) limited.send(`work ${n}`)
    for (let n = 0; n < 7; n += 1) limited.send(`free ${n}`)
    const claimed = await limited.pass(30 * SECOND, isLimited)
    expect(limited.left).toBe(0)
    expect(mostAtOnce(limited.limited)).toBe(2)
    const seats = limited.runs.map(({ at }) =>
      limited.runs
        .filter((run) => run.at <= at && run.until > at)
        .reduce((sum, { clink }) => sum + (clink.content.startsWith('free') ? 1 : 4), 0),
    )
    expect(Math.max(...seats)).toBeLessThanOrEqual(8)
    if (how === 'claims by id') expect(claimed).toBe(2)
    await limited.bench.stop()
  })

  it('a heavy clink that was passed over for 30 s gets the next free seats', async () => {
    const limited = new Limited({ weight: 7 }, settings)
    const stream = (): void => {
      for (let n = 0; n < 3; n += 1) limited.send(`free ${n}`)
    }
    // Six of eight seats are always in use: each run takes a second, and three come every half.
    for (let n = 0; n < 10; n += 1) {
      stream()
      await limited.pass(500)
    }
    limited.send('work')
    for (let n = 0; n < 100; n += 1) {
      stream()
      await limited.pass(500)
    }
    const [heavy] = limited.limited
    expect(heavy?.at).toBeLessThan(5 * SECOND + 30 * SECOND + 10 * SECOND)
    await limited.bench.stop()
  })

  it('serial: sender over three senders, backoff included', async () => {
    const limited = new Limited({ serial: 'sender' }, settings, ['alice 0'])
    const senders = ['alice', 'bob', 'robot']
    for (let n = 0; n < 4; n += 1) for (const sender of senders) limited.send(`${sender} ${n}`, sender)
    const claimed = await limited.pass(MINUTE, ({ sender_id }) => sender_id)
    expect(limited.left).toBe(0)
    const orders = senders.map((sender) =>
      limited.runs.filter(({ clink }) => clink.content.startsWith(sender)).map(({ clink }) => clink.content),
    )
    const four = (sender: string): string[] => [0, 1, 2, 3].map((n) => `${sender} ${n}`)
    expect(orders).toEqual([['alice 0', ...four('alice')], four('bob'), four('robot')])
    for (const sender of senders)
      expect(mostAtOnce(limited.runs.filter(({ clink }) => clink.content.startsWith(sender)))).toBe(1)
    if (how === 'claims by id') expect(claimed).toBe(1)
    await limited.bench.stop()
  })
})

it('auto claims by id where a route has a limit, since a poll would bring what cannot start (§3)', async () => {
  const limited = new Limited({ concurrency: 1 }, { claim: { exclusive: true } })
  for (let n = 0; n < 4; n += 1) limited.send(`work ${n}`)
  expect(await limited.pass(20 * SECOND)).toBe(1)
  expect(limited.left).toBe(0)
  expect(limited.bench.all('route.limitsHoldStarts')).toEqual([])
  await limited.bench.stop()
})

it('where claims by id may not be made, what waits is renewed, and the worker says once what to do (§3, P4)', async () => {
  const limited = new Limited({ concurrency: 1 }, { ...batch, claim: { timeout: 10 * SECOND } })
  for (let n = 0; n < 30; n += 1) limited.send(`work ${n}`)
  const claimed = await limited.pass(MINUTE)
  expect(limited.left).toBe(0)
  // Counted as in hand: never more than the concurrency allows.
  expect(claimed).toBeLessThanOrEqual(8)
  expect(limited.bench.all('clink.lost')).toEqual([])
  expect(limited.bench.all('route.limitsHoldStarts').map(({ routes }) => routes)).toEqual([['test']])
  await limited.bench.stop()
})

it('a stop gives back what waits for its route (P8)', async () => {
  const limited = new Limited({ concurrency: 1 }, batch)
  for (let n = 0; n < 6; n += 1) limited.send(`work ${n}`)
  await limited.pass(500)
  await limited.bench.stop()
  const statuses = limited.bench.emulator.clinks().map(({ status }) => status)
  expect(statuses).not.toContain('claimed')
})

it('no seats are kept for a heavy clink that the inbox does not show any more (§4)', async () => {
  const limited = new Limited({ weight: 8 }, select)
  const stream = async (times: number): Promise<void> => {
    for (let n = 0; n < times; n += 1) {
      for (const one of ['a', 'b']) limited.send(`free ${one} ${n}`)
      await limited.pass(500)
    }
  }
  limited.lasts = 100 * SECOND
  limited.send('free long')
  await limited.pass(5 * SECOND)
  limited.lasts = SECOND
  await stream(10)
  const sentAt = limited.bench.time.now
  const { clink_id: id } = limited.send('work')
  await stream(10)
  limited.bench.emulator.changeClink(id, { status: 'completed' })
  await stream(100)
  expect(limited.limited).toEqual([])
  const times = limited.runs.map(({ at }) => at).filter((at) => at > sentAt)
  const gaps = times.map((at, index) => at - (times[index - 1] ?? at))
  expect(Math.max(...gaps)).toBeLessThan(3 * SECOND)
  await limited.bench.stop()
})

it('a heavy clink probes its route where all routes are paused, though it takes several seats (P13, §4)', async () => {
  const retry = { attempts: 9, backoff: 20 * SECOND, maxBackoff: 20 * SECOND }
  const limited = new Limited({ weight: 4 }, { ...select, retry })
  limited.failing = /./
  for (let n = 0; n < 6; n += 1) for (const kind of ['work', 'free']) limited.send(`${kind} ${n}`)
  await limited.pass(3 * MINUTE)
  expect(limited.bench.all('route.paused')).toHaveLength(2)
  limited.send('work 6')
  limited.failing = /free/
  await limited.pass(5 * MINUTE)
  const left = limited.bench.emulator.clinks().filter(({ status }) => status !== 'completed')
  expect(left.map(({ content }) => content.slice(0, 4))).toEqual(Array.from({ length: 6 }, () => 'free'))
  await limited.bench.stop()
})

it('seats that are kept for a heavy clink make the worker look no more often, also beside a paused route (§3)', async () => {
  const retry = { attempts: 9, backoff: 20 * SECOND, maxBackoff: 20 * SECOND }
  const limited = new Limited({ weight: 7 }, { ...select, retry })
  limited.failing = /free/
  for (let n = 0; n < 6; n += 1) limited.send(`free ${n}`)
  await limited.pass(2 * MINUTE)
  expect(limited.bench.all('route.paused')).toHaveLength(1)
  limited.lasts = 5 * MINUTE
  limited.send('work 0')
  await limited.pass(10 * SECOND)
  for (let n = 1; n < 4; n += 1) limited.send(`work ${n}`)
  for (let n = 6; n < 9; n += 1) limited.send(`free ${n}`)
  const looks = limited.bench.all('poll.succeeded').length
  await limited.pass(3 * MINUTE)
  expect(limited.bench.all('poll.succeeded').length - looks).toBeLessThan(100)
  await limited.bench.stop()
})

it('a fresh clink probes a paused route whose rate is used up when the probe is due, before one that has failed (P10, §4)', async () => {
  const retry = { attempts: 1, backoff: 2 * SECOND, maxBackoff: 2 * SECOND }
  const limited = new Limited({ rate: { count: 1, window: 7 * SECOND } }, { ...select, retry })
  limited.failing = /./
  limited.lasts = 10
  for (let n = 0; n < 40; n += 1) limited.send(`work ${n}`)
  await limited.pass(4 * MINUTE)
  const [paused] = limited.bench.all('route.paused')
  expect(paused?.failures).toBe(10)
  // Each start of the pause is a probe, and clinks that nobody has tried are waiting all the time.
  const probes = limited.runs.slice(10).map(({ clink }) => clink.content)
  const tried = new Set(limited.runs.slice(0, 10).map(({ clink }) => clink.content))
  expect(probes.length).toBeGreaterThan(10)
  expect(probes.filter((text) => tried.size === tried.add(text).size)).toEqual([])
  await limited.bench.stop()
})
