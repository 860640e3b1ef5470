import { describe, expect, it } from 'vitest'
import type { Clink } from '../../../src/clink/records.ts'
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

  constructor(limits: Limits, settings: VirtualOptions['settings'] = {}, fails: readonly string[] = []) {
    this.fails = new Set(fails)
    this.bench = new VirtualBench({
      limits,
      settings: { concurrency: 8, retry: { attempts: 3, backoff: 5 * SECOND, maxBackoff: 5 * SECOND }, ...settings },
      handle: async (clink, { signal }, bench) => {
        const run = { clink, at: bench.time.now, until: Infinity }
        this.runs.push(run)
        await bench.take(SECOND, signal)
        run.until = bench.time.now
        if (this.fails.delete(clink.content)) throw new Error('not yet')
      },
    })
  }

  send(text: string, from = 'bob'): void {
    this.bench.emulator.send('ops', text, { from })
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
    expect(free?.at).toBeLessThan(2 * SECOND)
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
