import { describe, expect, it } from 'vitest'
import type { Clink } from '../../../src/clink/records.ts'
import { PageSize } from '../../../src/worker/claiming/page-size.ts'
import { Sweep } from '../../../src/worker/claiming/sweep.ts'

interface Shelf {
  readonly order: 'oldest' | 'newest' | 'random'
  readonly since: 'exclusive' | 'inclusive'
  readonly cap: number
  /** Whether the service shows fractions of seconds. */
  readonly fraction: boolean
}

interface Kept {
  readonly id: string
  readonly at: number
  readonly isMalformed?: boolean
}

const START = Date.parse('2026-03-01T12:00:00.000Z')
const plain: Shelf = { order: 'oldest', since: 'exclusive', cap: 100, fraction: true }

/** So many clinks, so many of them in each moment, moments so many milliseconds apart. */
function kept(count: number, { perMoment = 1, step = 7, from = START } = {}): Kept[] {
  return Array.from({ length: count }, (_, n) => ({ id: `c${n}`, at: from + Math.floor(n / perMoment) * step }))
}

const record = ({ id, at }: Kept, fraction: boolean): Clink => ({
  clink_id: id,
  group_id: 'g',
  sender_id: 's',
  sender_name: 's',
  content: '',
  created_at: new Date(at).toISOString().replace(/\.\d+Z$/, fraction ? '$&' : 'Z'),
  status: 'pending',
})

/** A number between 0 and 1 for each call, the same ones in each run. */
function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

function page(clinks: readonly Kept[], sweep: Sweep, shelf: Shelf, random: () => number) {
  const { limit, since } = sweep.params
  const bound = since === undefined ? -Infinity : Date.parse(since) + (shelf.since === 'exclusive' ? 1 : 0)
  const shown = clinks.filter(({ at }) => at >= bound)
  const keyed = shown.map((clink, n) => ({ clink, key: shelf.order === 'random' ? random() : n }))
  keyed.sort((a, b) => (shelf.order === 'newest' ? b.key - a.key : a.key - b.key))
  const found = keyed.slice(0, Math.min(limit, shelf.cap)).map(({ clink }) => clink)
  const [bad, good] = [true, false].map((isBad) => found.filter(({ isMalformed = false }) => isMalformed === isBad))
  const shownRecord = (clink: Kept): Clink => record(clink, shelf.fraction)
  return {
    clinks: (good ?? []).map(shownRecord),
    count: found.length,
    malformed: (bad ?? []).map((one) => ({
      id: one.id,
      problem: 'status',
      record: { ...shownRecord(one), status: 7 },
    })),
  }
}

/** Carries the sweep out over clinks that nobody takes. */
function carryOut(clinks: readonly Kept[], shelf: Shelf, sweep = new Sweep(0)) {
  const random = chance(7)
  const seen = new Set<string>()
  let pages = 0
  let isNews = true
  while (!sweep.isOver) {
    const found = page(clinks, sweep, shelf, random)
    pages += 1
    const ids = [...found.clinks.map(({ clink_id: id }) => id), ...found.malformed.map(({ id }) => id)]
    isNews = ids.some((id) => !seen.has(id))
    for (const id of ids) seen.add(id)
    sweep.note(found)
    if (pages > 2_000) throw new Error('the sweep does not end')
  }
  return { seen: seen.size, pages, isStarved: sweep.isStarved, endedWithNews: isNews }
}

describe('a sweep through an inbox that shows the oldest first (§3)', () => {
  it.for([
    ['exclusive', true],
    ['exclusive', false],
    ['inclusive', true],
    ['inclusive', false],
  ] as const)('since %s, fractions of seconds %s: reaches every clink', ([since, fraction]) => {
    for (const count of [0, 1, 99, 100, 101, 199, 200, 250, 1_000]) {
      // Moments that are seconds apart, so that times without a fraction tell them apart as well.
      const { seen, isStarved } = carryOut(kept(count, { perMoment: 20, step: 2_500 }), { ...plain, since, fraction })
      expect([count, seen, isStarved]).toEqual([count, count, false])
    }
  })

  it.for([1, 2, 10, 60, 99])('misses none of %i clinks of one moment', (perMoment) => {
    for (const since of ['exclusive', 'inclusive'] as const)
      expect(carryOut(kept(500, { perMoment }), { ...plain, since })).toMatchObject({ seen: 500, isStarved: false })
  })

  it.for([
    ['all of them', () => true],
    ['the first 150', (n: number) => n < 150],
    ['one in three', (n: number) => n % 3 === 0],
    ['all but one in thirty', (n: number) => n % 30 !== 0],
  ] as const)('reaches every clink where the records of %s are malformed, and pages are short', ([, isMalformed]) => {
    const clinks = kept(300).map((clink, n) => ({ ...clink, isMalformed: isMalformed(n) }))
    for (const cap of [20, 100])
      for (const since of ['exclusive', 'inclusive'] as const)
        expect(carryOut(clinks, { ...plain, cap, since })).toMatchObject({ seen: 300, isStarved: false })
  })

  it('needs no more pages than it takes, and one more', () => {
    expect(carryOut(kept(1_000), plain).pages).toBeLessThanOrEqual(12)
    expect(carryOut([], plain).pages).toBe(1)
  })

  it('gets past more clinks of one moment than a page holds where the service gives a larger page', () => {
    const crowd = kept(300, { perMoment: 250 })
    expect(carryOut(crowd, { ...plain, cap: 1_000 })).toMatchObject({ seen: 300, isStarved: false })
  })

  it('says that it is starved where it cannot get past them', () => {
    const { seen, isStarved } = carryOut(kept(300, { perMoment: 250 }), plain)
    expect(seen).toBeLessThan(300)
    expect(isStarved).toBe(true)
  })

  it.for([
    ['exclusive', true],
    ['exclusive', false],
    ['inclusive', true],
    ['inclusive', false],
  ] as const)(
    'since %s, fractions of seconds %s: goes past them all the same, and says that it is starved',
    ([since, fraction]) => {
      for (const cap of [20, 100]) {
        for (const before of [0, 7, 300]) {
          const clinks = [
            ...kept(before, { step: 2_500 }),
            ...kept(cap + 12, { perMoment: 1_000, from: START + 3_600_000 }).map(({ id, at }) => ({
              id: `crowd ${id}`,
              at,
            })),
            ...kept(250, { step: 2_500, from: START + 3_610_000 }).map(({ id, at }) => ({ id: `after ${id}`, at })),
          ]
          const { seen, isStarved } = carryOut(clinks, { ...plain, since, fraction, cap })
          expect([cap, before, seen, isStarved]).toEqual([cap, before, before + cap + 250, true])
        }
      }
    },
  )

  it('is not starved by as many of one moment as were ever shown', () => {
    for (const since of ['exclusive', 'inclusive'] as const)
      expect(carryOut(kept(30, { perMoment: 30 }), { ...plain, since })).toMatchObject({ seen: 30, isStarved: false })
  })

  it('takes in the moment from which it begins', () => {
    const clinks = kept(40, { perMoment: 40 })
    for (const since of ['exclusive', 'inclusive'] as const)
      expect(carryOut(clinks, { ...plain, since }, new Sweep(0, START - 1)).seen).toBe(40)
  })
})

describe('a sweep through an inbox of any other order (§3)', () => {
  it.for(['newest', 'random'] as const)('%s: reaches every clink or says that it is starved', (order) => {
    for (const cap of [100, 5_000]) {
      for (const count of [0, 1, 99, 101, 150, 450, 900, 2_500]) {
        const { seen, isStarved } = carryOut(kept(count), { ...plain, order, cap })
        if (!isStarved) expect([order, cap, count, seen]).toEqual([order, cap, count, count])
      }
    }
  })

  it('says so of a moment that fills a page which the service is known to cut, though nothing younger shows it any more', () => {
    const shelf = { ...plain, cap: 20 }
    const older = kept(50, { perMoment: 50 })
    const size = new PageSize()
    const first = new Sweep(0, undefined, size)
    expect(carryOut([...older, { id: 'younger', at: START + 9_000 }], shelf, first).isStarved).toBe(true)
    expect(carryOut(older, shelf, new Sweep(0, undefined, size)).isStarved).toBe(true)
  })

  it.for(['newest', 'random'] as const)(
    '%s, pages of 20: says that it is starved once two of them have shown different clinks',
    (order) => {
      const shelf = { ...plain, order, cap: 20 }
      const size = new PageSize()
      const look = (clinks: readonly Kept[]) => {
        const sweep = new Sweep(0, undefined, size)
        return { starved: carryOut(clinks, shelf, sweep).isStarved, mayHide: sweep.mayHide }
      }
      expect(look(kept(60))).toEqual({ starved: false, mayHide: true })
      expect(look(kept(40))).toEqual({ starved: true, mayHide: true })
      expect(look(kept(40))).toEqual({ starved: true, mayHide: true })
      expect(look(kept(12))).toEqual({ starved: false, mayHide: false })
    },
  )

  it('newest: takes no page for cut that is shorter than another, nor two that show the same', () => {
    const size = new PageSize()
    const looks = [30, 30, 20, 21, 0, 20].map((count) => {
      const sweep = new Sweep(0, undefined, size)
      return carryOut(kept(count), { ...plain, order: 'newest' }, sweep).isStarved
    })
    expect(looks).toEqual([false, false, false, false, false, false])
  })

  it('newest: takes a length for that of a cut page no longer when a page is longer', () => {
    const size = new PageSize()
    const look = (clinks: readonly Kept[]) =>
      carryOut(clinks, { ...plain, order: 'newest' }, new Sweep(0, undefined, size)).isStarved
    const others = kept(20).map(({ at }, n) => ({ id: `other ${n}`, at }))
    expect([look(kept(20)), look(others), look(kept(30)), look(kept(20))]).toEqual([false, true, false, false])
  })

  it.for(['newest', 'random'] as const)('%s: is not starved where a larger page shows all', (order) => {
    expect(carryOut(kept(450), { ...plain, order, cap: 1_000 })).toMatchObject({ seen: 450, isStarved: false })
  })

  it.for(['newest', 'random'] as const)('%s: is not starved by what fits a page', (order) => {
    expect(carryOut(kept(80), { ...plain, order })).toMatchObject({ seen: 80, isStarved: false })
  })

  it.for(['newest', 'random'] as const)('%s: goes on while pages bring anything new', (order) => {
    for (const count of [101, 150, 300, 1_000])
      expect(carryOut(kept(count), { ...plain, order })).toMatchObject({ isStarved: true, endedWithNews: false })
  })

  it('newest: reaches what lies behind a page when that is taken between two looks', () => {
    const left = kept(350)
    const shelf = { ...plain, order: 'newest' } as const
    const sweep = new Sweep(0)
    while (!sweep.isOver) {
      const found = page(left, sweep, shelf, Math.random)
      sweep.note(found)
      const taken = new Set(found.clinks.map(({ clink_id: id }) => id))
      left.splice(0, left.length, ...left.filter(({ id }) => !taken.has(id)))
    }
    expect([left.length, sweep.isStarved]).toEqual([0, false])
  })

  it('makes do with the largest page that the service does not refuse', () => {
    const shelf = { ...plain, order: 'newest' } as const
    const clinks = kept(150)
    const sweep = new Sweep(0)
    sweep.note(page(clinks, sweep, shelf, Math.random))
    expect(sweep.params.limit).toBeGreaterThan(100)
    sweep.refused()
    expect([sweep.isOver, sweep.params.limit]).toEqual([false, 100])
    sweep.note(page(clinks, sweep, shelf, Math.random))
    expect([sweep.isOver, sweep.isStarved]).toEqual([true, true])
  })
})

describe('a page with what cannot be read (P14)', () => {
  const bad = (id?: string) => ({ id, problem: 'no content', record: {} })

  it('counts malformed records as seen', () => {
    const sweep = new Sweep(0)
    const clinks = kept(60).map((clink) => record(clink, true))
    sweep.note({ clinks, count: 100, malformed: Array.from({ length: 40 }, (_, n) => bad(`bad${n}`)) })
    expect(sweep.isOver).toBe(false)
    expect(sweep.has('bad3')).toBe(true)
  })

  it('says that what lies behind a page may be out of reach where no record has a time', () => {
    const clinks = kept(20).map((clink) => ({ ...record(clink, true), created_at: '' }))
    const sweep = new Sweep(0)
    sweep.note({ clinks, count: 20, malformed: [] })
    expect([sweep.isOver, sweep.isStarved]).toEqual([true, true])

    const few = new Sweep(0)
    few.note({ clinks: clinks.slice(0, 5), count: 5, malformed: [] })
    expect([few.isOver, few.isStarved]).toEqual([true, false])
  })

  it('asks past a page of nothing else with a larger one', () => {
    const sweep = new Sweep(0)
    sweep.note({ clinks: [], count: 100, malformed: Array.from({ length: 100 }, () => bad()) })
    expect(sweep.isOver).toBe(false)
    expect(sweep.params.limit).toBeGreaterThan(100)
  })
})
