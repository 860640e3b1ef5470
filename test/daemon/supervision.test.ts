import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { statusLine, type StatusFacts } from '../../src/daemon/status-line.ts'

const NONE = { running: 0, queued: 0, held: 0, settling: 0, rerunning: 0, stuck: 0 }
const facts: StatusFacts = {
  liveness: { alive: true, reasons: [] },
  readiness: { ready: true, reasons: [] },
  isStopping: false,
  reloadFailed: false,
  counts: NONE,
  totals: { completed: 0, released: 0, deadLettered: 0, lost: 0 },
}
const dead = { alive: false, reasons: ['the poll stands still since 2m ago; it was due 1m ago'] }
const notReady = { ready: false, reasons: ['the key is refused', 'something else'] }

describe('one sentence says what it does, or what keeps it from working', () => {
  it.each<[string, Partial<StatusFacts>]>([
    ['Waits for clinks; since the start nothing was done', {}],
    [
      'Works: 3 running, 1 stuck; since the start 12 completed, 1 given up',
      {
        counts: { ...NONE, running: 3, stuck: 1 },
        totals: { completed: 12, released: 0, deadLettered: 1, lost: 0 },
      },
    ],
    ['Not ready: the key is refused (and 1 more)', { readiness: notReady }],
    ['Stands still: the poll stands still since 2m ago; it was due 1m ago', { liveness: dead, readiness: notReady }],
    ['Stopping: 2 running', { isStopping: true, liveness: dead, counts: { ...NONE, running: 2 } }],
    ['Stopping: nothing is in hand', { isStopping: true }],
  ])('%s', (text, some) => {
    expect(statusLine({ ...facts, ...some }).text).toBe(text)
  })

  it('a reload that failed is not forgotten', () => {
    expect(statusLine({ ...facts, reloadFailed: true }).text).toContain('reload failed')
  })
})

/** A worker as it is seen from outside, and what the manager hears of it. */
async function bench(watchdog?: number) {
  // The timers of the worker are those of the time when it was loaded: these are loaded under time that the test moves.
  const { Supervision } = await import('../../src/daemon/supervision.ts')
  const heard: string[] = []
  const worker = { liveness: facts.liveness, readiness: facts.readiness, counts: NONE }
  const supervision = new Supervision({
    daemon: {
      liveness: () => worker.liveness,
      readiness: () => worker.readiness,
      // @ts-expect-error -- of a snapshot only counts are read
      snapshot: () => worker.counts,
      totals: () => facts.totals,
    },
    way: async (message) => void heard.push(...message.split('\n')),
    watchdog,
    redact: (text) => text.replaceAll('sk_live_secret', '…'),
    trouble: () => {},
  })
  supervision.start()
  const take = async (time: number): Promise<string[]> => {
    await vi.advanceTimersByTimeAsync(time)
    return heard.splice(0)
  }
  return { supervision, worker, take }
}

describe('the manager hears', () => {
  beforeEach(() => {
    vi.useFakeTimers()
    vi.resetModules()
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  it('that it is up, once', async () => {
    const { supervision, take } = await bench()
    supervision.ready()
    expect(await take(20_000)).toEqual(['READY=1', 'STATUS=Waits for clinks; since the start nothing was done'])
  })

  it('P12: a sign of life at each half of the time, as long as its loops make progress, and again as soon as they do', async () => {
    const { supervision, take, worker } = await bench(60_000)
    supervision.ready()
    expect(await take(1_000)).toContain('WATCHDOG=1')
    for (let n = 0; n < 10; n += 1) {
      const half = (await take(30_000)).filter((line) => line === 'WATCHDOG=1')
      expect(half.length).toBe(1)
    }
    worker.liveness = dead
    expect((await take(600_000)).filter((line) => line === 'WATCHDOG=1').length).toBe(0)
    worker.liveness = facts.liveness
    expect(await take(2_000)).toContain('WATCHDOG=1')
  })

  it('P12: a sign of life while Clink is away, since waiting is progress', async () => {
    const { supervision, take, worker } = await bench(60_000)
    supervision.ready()
    worker.readiness = { ready: false, reasons: ['the service does not answer'] }
    const lines = await take(300_000)
    expect(lines.filter((line) => line === 'WATCHDOG=1').length).toBeGreaterThanOrEqual(10)
    expect(lines).toContain('STATUS=Not ready: the service does not answer')
  })

  it('P13: no secret, since everybody on the machine may ask for it', async () => {
    const { supervision, take, worker } = await bench()
    worker.readiness = { ready: false, reasons: ['sk_live_secret is refused'] }
    supervision.ready()
    expect(await take(0)).toContain('STATUS=Not ready: … is refused')
  })

  it('a change at once, and numbers every ten seconds', async () => {
    const { supervision, take, worker } = await bench()
    supervision.ready()
    await take(0)
    worker.counts = { ...NONE, running: 1 }
    expect(await take(2_000)).toEqual(['STATUS=Works: 1 running; since the start nothing was done'])
    let lines = 0
    for (let n = 2; n < 22; n += 1) {
      worker.counts = { ...NONE, running: n }
      lines += (await take(1_000)).length
    }
    expect(lines).toBeLessThanOrEqual(2)
    expect(lines).toBeGreaterThanOrEqual(1)
  })

  it('when a reload begins and when it is over, whether it worked or not', async () => {
    const { supervision, take } = await bench()
    supervision.ready()
    await take(0)
    const work = Promise.withResolvers<void>()
    const reloaded = supervision.reload(async () => await work.promise)
    const [began, at] = await take(1_000)
    expect(began).toBe('RELOADING=1')
    expect(at).toMatch(/^MONOTONIC_USEC=\d+$/)
    expect(await take(10_000)).toEqual([])
    supervision.note({ event: 'config.failed', error: new Error('wrong') })
    work.resolve()
    await reloaded
    expect(await take(0)).toEqual([
      'READY=1',
      'STATUS=Waits for clinks; since the start nothing was done. The last reload failed, and what was in use before stays: see the log',
    ])
  })

  it('that it stops, and that it needs more time as long as it may take, and no reload after that', async () => {
    const { supervision, take } = await bench()
    supervision.ready()
    await take(0)
    supervision.stopping(20_000)
    expect(await take(0)).toEqual(['STOPPING=1', 'EXTEND_TIMEOUT_USEC=10000000', 'STATUS=Stopping: nothing is in hand'])
    await supervision.reload(async () => {})
    const asked = await take(60_000)
    expect(new Set(asked)).toEqual(new Set(['EXTEND_TIMEOUT_USEC=10000000']))
    // Every two seconds, until two seconds after its own time.
    expect(asked.length).toBe(10)
  })

  it('nothing of being up where it is told to stop before', async () => {
    const { supervision, take } = await bench()
    supervision.stopping(1_000)
    supervision.ready()
    expect(await take(0)).not.toContain('READY=1')
    await supervision.stop()
  })
})
