import { describe, expect, it } from 'vitest'
import { newLife, Record, type LetterAsk, type LifeRecord } from './record.ts'

const life = (name: string, startedAt: number, more: Partial<LifeRecord> = {}): LifeRecord =>
  newLife({ name, worker: 'w1', state: 'w1', boot: 0, startedAt, ...more })

/** How many runs of a process and of the one before count, where the letter was retried between them. */
function counted(ask: Partial<LetterAsk>, before: Partial<LifeRecord>): number {
  const record = new Record(() => 100)
  for (const one of [life('w1.1', 0, before), life('w1.2', 50)]) record.lives.set(one.name, one)
  for (const startedAt of [10, 20]) record.addRun({ life: 'w1.1', clinkId: 'one', attempt: 1, startedAt, endedAt: 25 })
  record.asks.push({ state: 'w1', clinkId: 'one', what: 'retry', askedAt: 30, isUnderWay: false, ...ask })
  return record.runsThatCount('w1.2', 'one', 60).length
}

describe('the judge, of the attempts before a retry (P10),', () => {
  it('counts them after a restart where the retry could not be written', () => {
    expect(counted({}, { unwrittenSince: 15 })).toBe(2)
  })

  it('counts none of them that began before a fleet knew of a retry that nobody has heard of', () => {
    const record = new Record(() => 100)
    record.lives.set('w1.1', life('w1.1', 0, { isOfFleet: true }))
    const [rests, due] = [
      { isGivenUp: true, results: [] },
      { isGivenUp: true, step: 'due', results: [] },
    ] as const
    const facts = [
      [0, rests],
      [15, due],
      [25, rests],
      [45, due],
    ] as const
    for (const [at, fact] of facts) record.fleet.addFact('one', { at, ...fact })
    for (const startedAt of [10, 20, 50])
      record.addRun({ life: 'w1.1', clinkId: 'one', attempt: 1, startedAt, endedAt: 55 })
    const ask: LetterAsk = { state: 'w1', clinkId: 'one', what: 'retry', askedAt: 12, isUnderWay: false }
    record.asks.push(ask)
    const countedBy = (at: number): number => record.runsThatCount('w1.1', 'one', at).length
    expect([30, 60].map(countedBy)).toEqual([1, 1])
    ask.answeredAt = 13
    expect([30, 60].map(countedBy)).toEqual([1, 2])
  })

  it.for([
    ['counts them all', 'a retry of what ran', [[10, 'running']], 3],
    [
      'counts them all',
      'a retry of what ran when it was carried out as well',
      [
        [10, 'running'],
        [45, undefined],
        [50, 'due'],
      ],
      3,
    ],
    [
      'counts none of them',
      'a retry of what ran and had ended when it was carried out',
      [
        [10, 'running'],
        [33, undefined],
        [36, 'due'],
      ],
      0,
    ],
    [
      'counts none of them',
      'a retry of what ran, had ended, and was told with its retry in one write',
      [
        [10, 'running'],
        [50, 'due', 2],
      ],
      0,
      {},
    ],
  ] as const)('%s after %s', ([, , facts, count, answer = { answeredAt: 40 }]) => {
    const record = new Record(() => 100)
    record.lives.set('w1.1', life('w1.1', 0, { isOfFleet: true }))
    for (const [at, step, letter = 1] of facts)
      record.fleet.addFact('one', { at, isGivenUp: true, letter, step, results: [] })
    for (const startedAt of [10, 20, 25])
      record.addRun({ life: 'w1.1', clinkId: 'one', attempt: 1, startedAt, endedAt: 28 })
    record.asks.push({ state: 'w1', clinkId: 'one', what: 'retry', askedAt: 30, isUnderWay: true, ...answer })
    expect(record.runsThatCount('w1.1', 'one', 60)).toHaveLength(count)
  })

  it.for([
    ['that was answered', { answeredAt: 31, answer: 'done' }, { unwrittenSince: 15 }],
    ['that was written', {}, {}],
    ['that was made before what could not be written', {}, { unwrittenSince: 35 }],
    ['that the next process was asked for', { askedAt: 55 }, { unwrittenSince: 15 }],
  ] as const)('counts none of them after a retry %s', ([, ask, before]) => {
    expect(counted(ask, before)).toBe(0)
  })
})
