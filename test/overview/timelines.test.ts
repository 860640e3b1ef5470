import { describe, expect, it } from 'vitest'
import type { WorkerEvent } from '../../src/events.ts'
import { History } from '../../src/overview/history.ts'
import { AllRouteFigures } from '../../src/overview/route-figures.ts'
import { Runs } from '../../src/overview/runs.ts'
import { Timelines } from '../../src/overview/timelines.ts'
import { clink } from '../support/sample-records.ts'

const of = { clink, route: 'mail', attempt: 1 }
const ended = (outcome: 'done' | 'failed', duration: number): WorkerEvent => ({
  event: 'clink.ended',
  ...of,
  outcome,
  duration,
})

describe('the story of a clink', () => {
  it('has its moments in order, with renewals as one, and hides words that quote the clink', () => {
    const timelines = new Timelines()
    const note = (event: WorkerEvent): void => timelines.note(event)
    const content = 'the password is hunter22'
    const said = { clink: { ...clink, content }, route: 'mail', attempt: 1 }
    note({ event: 'clink.claimed', ...said, lease: 90_000 })
    note({ event: 'clink.started', ...said, waited: 0 })
    for (let n = 1; n <= 3; n += 1) note({ event: 'clink.renewed', ...said, left: 1_000, headroom: n * 1_000 })
    note({ event: 'clink.log', ...said, level: 'info', message: 'one of very many lines' })
    note({ event: 'clink.ended', ...said, outcome: 'failed', said: `cannot do ${content}`, duration: 5 })
    note({ event: 'clink.completed', ...said, response: 'no', presumed: false, duration: 5 })
    const found = timelines.of('msg_1')
    expect(found).toMatchObject({ id: 'msg_1', route: 'mail', content, response: 'no', leftOut: 0 })
    expect(found?.moments.map(({ event, text, times }) => [event, times, text])).toEqual([
      ['clink.claimed', 1, 'for 1m 30s'],
      ['clink.started', 1, null],
      ['clink.renewed', 3, '1.0s left before, 3.0s to spare'],
      ['clink.ended', 1, 'failed after 5ms: not shown, it quotes the clink'],
      ['clink.completed', 1, null],
    ])
  })

  it('is bounded: the first moments and the last ones of a clink, and the last 2,000 clinks', () => {
    const timelines = new Timelines()
    for (let n = 0; n < 500; n += 1) {
      timelines.note({ event: 'clink.started', ...of, attempt: n + 1, waited: 0 })
      timelines.note(ended('failed', n))
    }
    const { leftOut = 0, moments = [] } = timelines.of('msg_1') ?? {}
    expect([moments.length, leftOut]).toEqual([100, 900])
    expect([moments[0]?.attempt, moments[29]?.text, moments[99]?.text]).toEqual([
      1,
      'failed after 14ms',
      'failed after 499ms',
    ])
    for (let n = 0; n < 2_000; n += 1)
      timelines.note({ event: 'clink.claimed', clink: { ...clink, clink_id: `msg_x${n}` }, lease: 1 })
    expect([timelines.of('msg_1'), timelines.of('msg_x0')?.id]).toEqual([undefined, 'msg_x0'])
  })
})

describe('of very many clinks', () => {
  const isKept = (timelines: Timelines, id: string): boolean => timelines.of(id) !== undefined
  const facts = (n: number) => ({ clink: { ...clink, clink_id: `msg_${n}` }, route: 'mail', attempt: 1 })
  const begin = (timelines: Timelines, n: number): void => {
    timelines.note({ event: 'clink.claimed', ...facts(n), lease: 90_000 })
    timelines.note({ event: 'clink.started', ...facts(n), waited: 0 })
  }
  const end = (timelines: Timelines, n: number): void => {
    timelines.note({ event: 'clink.ended', ...facts(n), outcome: 'done', duration: 1 })
    timelines.note({ event: 'clink.completed', ...facts(n), presumed: false, duration: 1 })
  }

  it('a hundred a second keep their story of those that went as they should, and all whose story has more to it', () => {
    let now = Date.UTC(2026, 10, 29, 12)
    const timelines = new Timelines(() => now)
    const odd: readonly WorkerEvent[] = [
      { event: 'clink.started', ...facts(901), attempt: 2, waited: 0 },
      { event: 'clink.renewed', ...facts(902), left: 1_000, headroom: 1_000 },
      { event: 'clink.ended', ...facts(903), outcome: 'failed', duration: 1 },
      { event: 'clink.step', ...facts(904), name: 'mailed', was: 'done' },
      { event: 'clink.completed', ...facts(905), presumed: true, duration: 1 },
    ]
    for (let n = 0; n < 300; n += 1) {
      begin(timelines, n)
      end(timelines, n)
    }
    for (const [at, event] of odd.entries()) {
      begin(timelines, 901 + at)
      timelines.note(event)
      end(timelines, 901 + at)
    }
    begin(timelines, 999)
    expect(Array.from({ length: 300 }, (_, n) => n).filter((n) => isKept(timelines, `msg_${n}`))).toEqual(
      Array.from({ length: 100 }, (_, n) => n),
    )
    expect(odd.map((_, at) => isKept(timelines, `msg_${901 + at}`))).toEqual(odd.map(() => true))
    expect(timelines.of('msg_999')?.moments).toHaveLength(2)
    end(timelines, 999)
    // Somebody has looked at it.
    expect(timelines.of('msg_999')?.moments).toHaveLength(4)
    now += 1_000
    begin(timelines, 1_000)
    end(timelines, 1_000)
    expect(timelines.of('msg_1000')?.moments).toHaveLength(4)
  })
})

it('the last hour is in spans, and forgets what is older', () => {
  let now = Date.UTC(2026, 10, 28, 12)
  const history = new History(() => now)
  for (let n = 0; n < 100; n += 1) history.note(ended(n % 4 === 0 ? 'failed' : 'done', n))
  history.inHand(7)
  expect(history.spans).toEqual([
    { at: now, started: 0, done: 75, failed: 25, deadLettered: 0, p50: 50, p95: 95, inHand: 7 },
  ])
  for (let n = 0; n < 400; n += 1) {
    now += history.length
    history.note({ event: 'clink.started', ...of, waited: 0 })
  }
  expect([history.spans.length, history.spans.at(-1)]).toMatchObject([180, { at: now, started: 1, done: 0, p50: null }])
  now += 3_600_000
  expect(history.spans).toEqual([])
})

it('routes have the durations and failures of their last runs', () => {
  const figures = new AllRouteFigures()
  for (let n = 0; n < 1_000; n += 1) figures.note(ended(n < 500 || n % 5 === 0 ? 'failed' : 'done', n))
  expect(figures.all).toEqual([{ route: 'mail', runs: 500, failing: 0.2, p50: 750, p95: 975 }])
})

it('a run is known by what its handler said last, unless that quotes its clink', () => {
  const runs = new Runs()
  runs.note({ event: 'clink.started', ...of, waited: 0 })
  expect(runs.of('msg_1')?.line).toBeNull()
  const say = (message: string): void => runs.note({ event: 'clink.log', ...of, level: 'info', message })
  say('half way')
  expect(runs.of('msg_1')?.line).toBe('half way')
  say('it says "hello"')
  expect(runs.of('msg_1')?.line).toBe('not shown, it quotes the clink')
  runs.note({ event: 'clink.released', ...of, why: 'handler', duration: 1 })
  expect(runs.of('msg_1')).toBeUndefined()
})
