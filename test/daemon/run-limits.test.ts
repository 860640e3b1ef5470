import { describe, expect, it } from 'vitest'
import { stillClaimed, story } from '../support/record.ts'
import { HOUR, MINUTE, VirtualBench, type VirtualOptions } from '../support/virtual.ts'

const SECOND = 1_000

function open(ending: NonNullable<VirtualOptions['ending']>, options: Partial<VirtualOptions> = {}) {
  const ran: string[] = []
  const ends: { readonly code: number; readonly at: number }[] = []
  const bench: VirtualBench = new VirtualBench({
    ending,
    handle: async ({ content }, ctx) => {
      ran.push(content)
      await bench.take(content === 'long' ? MINUTE : 10 * SECOND, ctx.signal)
      if (content.startsWith('fails') && ran.filter((one) => one === content).length === 1) throw new Error('not yet')
      return 'done'
    },
    ...options,
  })
  void bench.daemon.ended.then((code) => ends.push({ code, at: bench.time.now }))
  return { bench, ends, ran }
}

describe('run --max-clinks', () => {
  it.each([
    ['polls', {}],
    ['claims by id', { inbox: { claim: 'select' }, claim: { exclusive: true } }],
  ] as const)('takes so many and no more, by %s, and ends with 0 when they are done', async (_, settings) => {
    const { bench, ends, ran } = open({ clinks: 5 }, { settings: { concurrency: 3, ...settings } })
    const ids = Array.from({ length: 12 }, (__, n) => bench.send(`task ${n}`))
    await bench.pass(2 * MINUTE)
    expect(ends).toMatchObject([{ code: 0 }])
    expect(ran).toHaveLength(5)
    const stories = ids.map((id) => story(bench.emulator, id).join())
    expect(stories.filter((one) => one === 'created,claimed,completed')).toHaveLength(5)
    expect(stories.filter((one) => one === 'created')).toHaveLength(7)
  })

  it('counts those of which it is not known yet what they are', async () => {
    const { bench, ends, ran } = open({ clinks: 2 }, { settings: { concurrency: 5 }, finding: () => 20 * SECOND })
    for (let n = 0; n < 8; n += 1) bench.send(`task ${n}`)
    await bench.pass(2 * MINUTE)
    expect([ran.length, ends.length, stillClaimed(bench.emulator)]).toEqual([2, 1, []])
  })

  it('ends when the retries of what it took have come to their end as well', async () => {
    const settings = { retry: { attempts: 3, backoff: MINUTE, maxBackoff: MINUTE }, claim: { maxHold: HOUR } }
    const { bench, ends, ran } = open({ clinks: 1 }, { settings })
    const id = bench.send('fails')
    bench.send('another')
    await bench.pass(20 * SECOND)
    expect(ends).toEqual([])
    await bench.pass(3 * MINUTE)
    expect([ends.length, ran, story(bench.emulator, id).at(-1)]).toEqual([1, ['fails', 'fails'], 'completed'])
  })

  it('waits for as many as were asked for', async () => {
    const { bench, ends } = open({ clinks: 3 })
    for (let n = 0; n < 2; n += 1) bench.send(`task ${n}`)
    await bench.pass(HOUR)
    expect(ends).toEqual([])
    bench.send('the last')
    await bench.pass(MINUTE)
    expect(ends).toMatchObject([{ code: 0 }])
  })
})

describe('run --idle-exit', () => {
  it('ends when nothing was in hand for so long, counted from the last clink', async () => {
    const { bench, ends } = open({ idle: 10 * MINUTE })
    await bench.pass(8 * MINUTE)
    bench.send('work')
    await bench.pass(9 * MINUTE)
    expect(ends).toEqual([])
    await bench.pass(2 * MINUTE)
    expect(ends).toMatchObject([{ code: 0 }])
    expect(bench.all('worker.stopping')).toMatchObject([{ reason: expect.stringContaining('--idle-exit') }])
  })

  it('does not take an outage for idleness', async () => {
    let isAway = true
    const { bench, ends } = open({ idle: 10 * MINUTE }, { weather: () => (isAway ? 'reset' : undefined) })
    await bench.pass(HOUR)
    expect(ends).toEqual([])
    isAway = false
    await bench.pass(11 * MINUTE)
    expect(ends).toMatchObject([{ code: 0 }])
  })
})

describe('run --max-uptime', () => {
  it('takes nothing more after that time, lets what runs finish, gives back what waits, and ends with 0', async () => {
    const settings = { retry: { attempts: 3, backoff: 4 * HOUR, maxBackoff: 4 * HOUR }, claim: { maxHold: 6 * HOUR } }
    const { bench, ends, ran } = open({ uptime: HOUR }, { settings })
    const held = bench.send('fails')
    await bench.pass(HOUR - 12 * SECOND)
    const running = bench.send('long')
    while (!ran.includes('long')) await bench.pass(100)
    await bench.pass(HOUR - bench.time.now + SECOND)
    const later = bench.send('later')
    expect(ends).toEqual([])
    await bench.pass(MINUTE)
    expect(ends).toMatchObject([{ code: 0 }])
    expect(story(bench.emulator, running)).toEqual(['created', 'claimed', 'completed'])
    expect(story(bench.emulator, held)).toEqual(['created', 'claimed', 'released'])
    expect([story(bench.emulator, later), stillClaimed(bench.emulator)]).toEqual([['created'], []])
  })

  it('ends one that an operator had drained before', async () => {
    const { bench, ends } = open({ uptime: HOUR })
    void bench.daemon.worker.drain.begin({ by: 'alice' })
    await bench.pass(HOUR - SECOND)
    expect(ends).toEqual([])
    await bench.pass(MINUTE)
    expect(ends).toMatchObject([{ code: 0 }])
  })

  it('is not put off by an operator who resumes it, or by the clinks that it would take then', async () => {
    const { bench, ends, ran } = open({ uptime: HOUR })
    await bench.pass(HOUR - 20 * SECOND)
    bench.send('long')
    while (!ran.includes('long')) await bench.pass(100)
    await bench.pass(HOUR - bench.time.now + SECOND)
    bench.daemon.worker.drain.end()
    await bench.daemon.worker.pauses.resume(undefined)
    for (let n = 0; n < 60; n += 1) bench.send('long')
    await bench.pass(3 * MINUTE)
    expect(ends).toMatchObject([{ code: 0 }])
    expect(ran.length).toBeLessThan(31)
  })
})
