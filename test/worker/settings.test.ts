import { describe, expect, it } from 'vitest'
import { HOUR, MINUTE, VirtualBench, type VirtualOptions } from '../support/virtual.ts'

const SECOND = 1_000

/** A worker whose handlers run until they are let go, in the order in which they began. */
class Held {
  readonly bench: VirtualBench
  readonly running: (() => void)[] = []
  started = 0
  aborted = 0

  constructor(settings: VirtualOptions['settings'], fails = 0) {
    this.bench = new VirtualBench({
      settings: { retry: { backoff: 10 * SECOND, maxBackoff: 10 * SECOND }, ...settings },
      handle: async (_, { signal }) => {
        this.started += 1
        if (this.started <= fails) throw new Error('not yet')
        signal.addEventListener('abort', () => (this.aborted += 1))
        await new Promise<void>((resolve) => this.running.push(resolve))
      },
    })
  }

  async send(count: number): Promise<void> {
    for (let n = 0; n < count; n += 1) this.bench.send(`task ${n}`)
    await this.bench.pass(2 * SECOND)
  }

  async letGo(): Promise<void> {
    this.running.shift()?.()
    await this.bench.pass(2 * SECOND)
  }
}

describe('concurrency takes effect at once (P6)', () => {
  it('a larger one starts what waits for a slot in that moment, without a poll', async () => {
    const held = new Held({ concurrency: 5 }, 5)
    await held.send(5)
    held.bench.change({ concurrency: 2 })
    await held.bench.pass(20 * SECOND)
    expect([held.running.length, held.bench.daemon.snapshot().queued]).toEqual([2, 3])

    const sent = held.bench.sent.length
    held.bench.change({ concurrency: 5 })
    await held.bench.pass(0)
    expect(held.running.length).toBe(5)
    expect(held.bench.sent.slice(sent).filter(({ path }) => path.startsWith('/inbox'))).toEqual([])
    await held.bench.stop()
  })

  it('a larger one claims what waits in the inbox with a poll that goes out at once', async () => {
    const held = new Held({ concurrency: 2, poll: { interval: HOUR, maxInterval: HOUR } })
    await held.send(7)
    expect(held.running.length).toBe(2)
    held.bench.change({ concurrency: 5, poll: { interval: HOUR, maxInterval: HOUR } })
    await held.bench.pass(50)
    expect(held.running.length).toBe(5)
    await held.bench.stop()
  })

  it('a smaller one lets what runs finish, and starts nothing until fewer run', async () => {
    const held = new Held({ concurrency: 5 })
    await held.send(12)
    held.bench.change({ concurrency: 2 })
    const running = [held.running.length]
    for (let n = 0; n < 5; n += 1) {
      await held.letGo()
      running.push(held.running.length)
    }
    expect(running).toEqual([5, 4, 3, 2, 2, 2])
    expect([held.aborted, held.bench.all('clink.completed').length, held.started]).toEqual([0, 5, 7])
    await held.bench.stop()
  })
})

describe('what is looked for, and how often, takes effect at once', () => {
  it('poll.interval: for the wait that is under way, and for those that follow', async () => {
    const bench = new VirtualBench({
      settings: { poll: { interval: HOUR, maxInterval: HOUR } },
      handle: async () => await Promise.resolve('done'),
    })
    await bench.pass(MINUTE)
    bench.change({ poll: { interval: 2 * SECOND, maxInterval: 4 * SECOND } })
    const before = bench.sent.length
    await bench.pass(50)
    expect(bench.sent.length).toBe(before + 1)
    await bench.pass(MINUTE)
    expect(bench.sent.length - before).toBeGreaterThan(14)
    await bench.stop()
  })

  it('inbox.ignore: whoever is ignored no more is worked with the next look, though no full sweep is due', async () => {
    const bench = new VirtualBench({
      settings: { claim: { exclusive: true }, inbox: { ignore: ['user_bob'] } },
      handle: async () => await Promise.resolve('done'),
    })
    bench.send('task')
    await bench.pass(MINUTE)
    expect(bench.all('clink.claimed')).toEqual([])
    bench.change({ inbox: { ignore: [] } })
    await bench.pass(SECOND)
    expect(bench.all('clink.completed').length).toBe(1)

    bench.change({ inbox: { ignore: ['user_bob'] } })
    bench.send('another')
    await bench.pass(MINUTE)
    expect(bench.all('clink.claimed').length).toBe(1)
    await bench.stop()
  })

  it('inbox.groups: a group that is named by its slug is looked for before anything of it is listed', async () => {
    const bench = new VirtualBench({
      settings: { claim: { exclusive: true }, inbox: { groups: ['nowhere'] } },
      handle: async () => await Promise.resolve('done'),
    })
    bench.send('task')
    await bench.pass(MINUTE)
    expect(bench.daemon.snapshot().doubts.join()).toMatch(/inbox\.groups \(nowhere\)/)
    bench.change({ inbox: { groups: ['ops'] } })
    await bench.pass(SECOND)
    expect([bench.all('clink.completed').length, bench.daemon.snapshot().doubts]).toEqual([1, []])
    await bench.stop()
  })

  it('shutdown.timeout: for a stop that begins after it (P8)', async () => {
    const bench = new VirtualBench({ handle: async () => await Promise.resolve('done') })
    await bench.pass(SECOND)
    bench.change({ shutdown: { timeout: 3 * SECOND, drain: SECOND } })
    await bench.stop()
    expect(bench.all('worker.stopping')).toMatchObject([{ timeout: 3 * SECOND }])
  })
})

describe('a delivery keeps what it began with, and the next one begins with what is new (P4, P10)', () => {
  it('retry.attempts and onExhausted', async () => {
    const retry = { attempts: 3, backoff: 10 * SECOND, maxBackoff: 10 * SECOND } as const
    const starts = new Map<string, number>()
    const bench = new VirtualBench({
      settings: { retry },
      handle: async ({ content }) => {
        starts.set(content, (starts.get(content) ?? 0) + 1)
        return await Promise.reject(new Error('never'))
      },
    })
    bench.send('old')
    await bench.pass(2 * SECOND)
    bench.change({ retry: { ...retry, attempts: 5, onExhausted: 'complete' } })
    bench.send('new')
    await bench.pass(HOUR)
    expect([...starts]).toEqual([
      ['old', 3],
      ['new', 5],
    ])
    expect(bench.all('clink.completed').map(({ clink }) => clink.content)).toEqual(['new'])
    await bench.stop()
  })

  it('handlers.timeout, over its retries', async () => {
    const retry = { attempts: 2, backoff: MINUTE, maxBackoff: MINUTE }
    const bench = new VirtualBench({
      settings: { retry, handlers: { timeout: MINUTE } },
      handle: async (_, { signal }, self) => await self.take(HOUR, signal),
    })
    const old = bench.send('old')
    await bench.pass(30 * SECOND)
    bench.change({ retry, handlers: { timeout: 10 * MINUTE } })
    const fresh = bench.send('new')
    await bench.pass(HOUR)
    const ended = bench.all('clink.ended').map(({ clink, duration }) => [clink.clink_id, duration])
    expect(ended.filter(([id]) => id === old)).toEqual([
      [old, MINUTE],
      [old, MINUTE],
    ])
    expect(ended.filter(([id]) => id === fresh)).toEqual([
      [fresh, 10 * MINUTE],
      [fresh, 10 * MINUTE],
    ])
    await bench.stop()
  })

  it('claim.timeout, with each renewal', async () => {
    const asked = new Map<string, Set<number>>()
    const bench = new VirtualBench({
      settings: { claim: { timeout: 2 * MINUTE } },
      weather: ({ body = '{}', path }) => {
        const id = path.split('/').at(-2) ?? ''
        const { timeout_seconds: seconds } = JSON.parse(body)
        if (path.endsWith('/claim')) asked.set(id, (asked.get(id) ?? new Set()).add(seconds))
        return undefined
      },
      handle: async (_, { signal }, self) => await self.take(20 * MINUTE, signal),
    })
    const old = bench.send('old')
    await bench.pass(3 * MINUTE)
    bench.change({ claim: { timeout: 4 * MINUTE } })
    const fresh = bench.send('new')
    await bench.pass(10 * MINUTE)
    expect([...asked].map(([id, lengths]) => [id, [...lengths]])).toEqual([
      [old, [120]],
      [fresh, [240]],
    ])
    await bench.stop()
  })

  it('claim.maxHold', async () => {
    const settings = { retry: { attempts: 99, backoff: 10 * MINUTE, maxBackoff: 10 * MINUTE } }
    const bench = new VirtualBench({
      settings: { ...settings, claim: { maxHold: 30 * MINUTE } },
      handle: async () => await Promise.reject(new Error('never')),
    })
    const old = bench.send('old')
    await bench.pass(MINUTE)
    bench.change({ ...settings, claim: { maxHold: 3 * HOUR } })
    const fresh = bench.send('new')
    await bench.pass(2 * HOUR)
    expect(
      bench
        .all('clink.released')
        .filter(({ why }) => why !== 'parked')
        .map(({ clink }) => clink.clink_id),
    ).toEqual([old])
    await bench.pass(2 * HOUR)
    expect(
      bench
        .all('clink.released')
        .filter(({ why }) => why !== 'parked')
        .map(({ clink }) => clink.clink_id),
    ).toContain(fresh)
    await bench.stop()
  })
})

it('what takes a restart is named and left as it was', async () => {
  const bench = new VirtualBench({
    settings: { inbox: { claim: 'select' } },
    handle: async () => await Promise.resolve('done'),
  })
  const changes = bench.change({ inbox: { claim: 'select' }, claim: { exclusive: true }, clink: { session: 'other' } })
  expect(changes).toEqual({ 'at-once': [], 'new-deliveries': [], restart: ['clink.session', 'claim.exclusive'] })
  expect(bench.daemon.settings.current.claim.exclusive).toBe(false)
  await bench.stop()
})
