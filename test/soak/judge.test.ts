import { describe, expect, it } from 'vitest'
import { judge, SERIES, type Sample, type Series } from './judge.ts'

const LEVEL: Readonly<Record<Series, number>> = {
  rss: 250,
  heap: 40,
  external: 5,
  descriptors: 60,
  handles: 7,
  timers: 2,
  threads: 13,
  journal: 8,
  metrics: 25_000,
  log: 380,
  clinkLogs: 7,
  late: 5,
  cpu: 400,
}

/** Twenty readings; each of them has `of` of a series, and otherwise its level. */
function run(series?: Series, of = (_n: number, level: number): number => level): Sample[] {
  return Array.from({ length: 20 }, (_, n) => ({
    ...LEVEL,
    clinks: (n + 1) * 1_000,
    ...(series === undefined ? {} : { [series]: of(n, LEVEL[series]) }),
  }))
}

const grown = (samples: readonly Sample[]): readonly Series[] =>
  judge(samples)
    .filter(({ grows }) => grows)
    .map(({ series }) => series)

describe('the judge of a soak', () => {
  it('finds nothing where all stays as it is', () => {
    expect(grown(run())).toEqual([])
  })

  it.each(SERIES)('names %s where it doubles within the run', (series) => {
    expect(grown(run(series, (n, level) => level * (1 + n / 8) + n * 20))).toEqual([series])
  })

  it.each(SERIES)('takes readings of %s that go up and down for what they are', (series) => {
    expect(grown(run(series, (n, level) => level * (n % 3 === 0 ? 1 : 2)))).toEqual([])
  })

  it('lets a worker warm up in the first fifth, and grow by a tenth in all', () => {
    expect(grown(run('heap', (n, level) => (n < 4 ? level / 2 : level)))).toEqual([])
    expect(grown(run('heap', (n, level) => level * (1 + (0.1 * n) / 20)))).toEqual([])
    expect(grown(run('heap', (n, level) => level * (1 + (0.2 * n) / 20)))).toEqual(['heap'])
  })

  it('says from what to what', () => {
    const [rss] = judge(run('rss', (n) => 100 + n * 10))
    expect(rss).toEqual({ series: 'rss', from: 140, to: 260, grows: true })
  })

  it('refuses a run with too few readings', () => {
    expect(() => judge(run().slice(0, 4))).toThrow('a run has at least 5 samples, not 4')
  })
})
