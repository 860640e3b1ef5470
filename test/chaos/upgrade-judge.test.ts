import { describe, expect, it } from 'vitest'
import { judgeUpgrade, type UpgradeEvidence } from './upgrade-judge.ts'

const fails = (at: number, name: string): string[] => [
  `${at} ${name} poison-2 starts`,
  `${at + 1} ${name} poison-2 fails`,
  `${at + 2} ${name} poison-2 ends`,
]
/** The first of two joins at 20,000, the other one at 40,000. */
const GOOD: UpgradeEvidence = {
  clinks: [
    { content: 'step-1', status: 'completed', completions: 1 },
    { content: 'poison-2', status: 'pending', completions: 0 },
  ],
  notes: [
    '10000 a-old step-1 starts',
    '10010 a-old step-1 pays',
    '10020 a-old step-1 ends',
    '12000 b-old step-1 starts',
    '12010 b-old step-1 pays',
    '12020 b-old step-1 is-done',
    '12030 b-old step-1 ends',
    ...[13_000, 14_000, 15_000].flatMap((at) => fails(at, 'a-old')),
    ...[30_000, 31_000, 32_000].flatMap((at) => fails(at, 'b-old')),
  ],
  joined: new Map([
    ['a', 20_000],
    ['b', 40_000],
  ]),
  letters: new Map([
    ['a', new Set(['poison-2'])],
    ['b', new Set(['poison-2'])],
  ]),
  pauses: [],
  attempts: 3,
}
const but = (...notes: string[]): Partial<UpgradeEvidence> => ({ notes: [...GOOD.notes, ...notes] })

describe('the judge of a rolling upgrade', () => {
  it('finds nothing where workers that remember alone try for themselves', () => {
    expect(judgeUpgrade(GOOD)).toEqual({ runs: 8, again: 0, faults: [] })
  })

  it.each<[string, Partial<UpgradeEvidence>, string]>([
    ['is lost', { clinks: [{ content: 'step-1', status: 'pending', completions: 0 }] }, 'step-1 is pending'],
    [
      'is completed twice',
      { clinks: [{ content: 'step-1', status: 'completed', completions: 2 }] },
      'step-1 was completed 2 times',
    ],
    [
      'is poison and is done',
      { clinks: [{ content: 'poison-2', status: 'completed', completions: 1 }] },
      'poison-2 is completed',
    ],
    [
      'is tried once more where it was given up',
      but(...fails(16_000, 'a-old')),
      'poison-2 fails once more on a-old, which knows of 3',
    ],
    [
      'is tried by a member after another one has told of it',
      but(...fails(50_000, 'b')),
      'poison-2 fails once more on b, which knows of 6',
    ],
    [
      'has its step taken twice by one directory',
      but('45000 b step-1 pays'),
      'step-1 pays once more on b, which knows of 1',
    ],
    ['is done again by a member', but('45000 a step-1 is-done'), 'step-1 is-done once more on a, which knows of 1'],
    [
      'runs in two places at a time',
      but('50000 a step-1 starts', '50001 b step-1 starts', '50002 a step-1 ends', '50003 b step-1 ends'),
      'step-1 runs on a and b at a time',
    ],
    [
      'is a dead letter that a member does not know',
      { letters: new Map([...GOOD.letters, ['b', new Set<string>()]]) },
      'poison-2 is no dead letter on b',
    ],
    [
      'is a dead letter and was done',
      { letters: new Map([...GOOD.letters, ['b', new Set(['poison-2', 'step-1'])]]) },
      'step-1 is a dead letter on b',
    ],
  ])('notices a clink that %s', (_, change, fault) => {
    expect(judgeUpgrade({ ...GOOD, ...change }).faults).toEqual([fault])
  })

  it('excuses a failure at the moment at which its route was paused', () => {
    const more = but(...fails(16_000, 'a-old'))
    expect(judgeUpgrade({ ...GOOD, ...more, pauses: [{ name: 'a-old', at: 16_003 }] }).faults).toEqual([])
    expect(judgeUpgrade({ ...GOOD, ...more, pauses: [{ name: 'b-old', at: 16_003 }] }).faults).toHaveLength(1)
  })

  it('excuses a member for what another one has only just told', () => {
    const others = GOOD.notes.filter((note) => !note.includes('a-old poison-2'))
    expect(judgeUpgrade({ ...GOOD, notes: [...others, ...fails(41_000, 'a')] }).faults).toEqual([])
    expect(judgeUpgrade({ ...GOOD, notes: [...others, ...fails(44_000, 'a')] }).faults).not.toEqual([])
  })
})
