import { describe, expect, it } from 'vitest'
import { judge, type Evidence } from './judge.ts'

const GOOD: Evidence = {
  clinks: [
    { content: 'step-1', status: 'completed', completions: 1 },
    { content: 'poison-2', status: 'completed', completions: 1 },
  ],
  notes: [
    '10000 a step-1 starts',
    '10010 a step-1 pays',
    '20000 b step-1 starts',
    '20300 b step-1 ends',
    ...[30_000, 31_000, 32_000].flatMap((at) => [
      `${at} b poison-2 starts`,
      `${at + 1} b poison-2 fails`,
      `${at + 2} b poison-2 ends`,
    ]),
  ],
  cuts: [{ name: 'a', what: 'killed', from: 15_000, to: 15_050 }],
  outages: [],
  attempts: 3,
}
const [step, poison] = GOOD.clinks

describe('the judge of the fleet in chaos', () => {
  it('finds nothing where a clink goes on elsewhere once its member was killed', () => {
    expect(judge(GOOD)).toEqual({ runs: 5, faults: [], stories: [] })
  })

  it.each<[string, Partial<Evidence>, string]>([
    ['that is lost', { clinks: [{ content: 'step-1', status: 'pending', completions: 0 }] }, 'step-1 is pending'],
    [
      'that is completed twice',
      { clinks: [{ content: 'step-1', status: 'completed', completions: 2 }] },
      'step-1 was completed 2 times',
    ],
    [
      'that is tried too often',
      { clinks: poison === undefined ? [] : [poison], attempts: 2 },
      'poison-2 fails 3 times, and not 2',
    ],
    [
      'whose step is taken twice',
      { clinks: step === undefined ? [] : [step], notes: [...GOOD.notes, '20100 b step-1 pays'] },
      'step-1 pays 2 times, and not 1',
    ],
    ['that runs on two members, none of which was cut off', { cuts: [] }, 'step-1 runs on a and b at a time'],
    [
      'that runs on two members, the first of which is cut off later',
      { cuts: [{ name: 'a', what: 'killed', from: 25_000, to: 25_050 }] },
      'step-1 runs on a and b at a time',
    ],
  ])('notices a clink %s', (_, change, fault) => {
    expect(judge({ ...GOOD, ...change }).faults).toEqual([fault])
  })

  it('tells what is known of a clink that something is wrong with', () => {
    const { stories } = judge({ ...GOOD, cuts: [] })
    expect(stories).toEqual(GOOD.notes.filter((line) => line.includes('step-1')))
  })

  it('excuses what a member did while the database was away, unless it had time to write it down when that was back', () => {
    const outages = [{ from: 11_000, to: 13_000 }]
    const notes = [...GOOD.notes, '20100 b step-1 pays']
    expect(judge({ ...GOOD, notes, outages }).faults).toEqual([])
    expect(judge({ ...GOOD, notes, outages: [{ from: 10_500, to: 11_500 }] }).faults).toHaveLength(1)
  })

  it('excuses what a member did just before it was cut off, which it cannot have written down', () => {
    const notes = [...GOOD.notes, '14000 a step-1 pays', '20100 b step-1 pays']
    expect(judge({ ...GOOD, notes }).faults).toEqual(['step-1 pays 2 times, and not 1'])
    expect(judge({ ...GOOD, notes: notes.slice(0, -1) }).faults).toEqual([])
  })
})
