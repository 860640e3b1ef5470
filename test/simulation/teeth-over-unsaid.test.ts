import { describe, expect, it } from 'vitest'
import { unfinishedReruns } from './asked.ts'
import { newLife, Record, type LetterAsk, type LifeRecord, type RequestRecord } from './record.ts'

type Steps = readonly (readonly [at: number, step?: string])[]

const UNDER_WAY: Steps = [[0], [10, 'due'], [12, 'running']]

/** Its result is sent by the second of two members. */
const SENT: RequestRecord = {
  n: 1,
  life: 'w2.1',
  kind: 'send',
  clinkId: undefined,
  limit: 0,
  key: 'k',
  begunAt: 35,
  sentAt: 35,
  fault: 'none',
  result: 'one 1',
}

/** The second of two members has run a letter again, which a person wants of the first one as well. */
function asked(
  facts: Steps,
  run: { readonly endedAt?: number },
  of: Partial<LifeRecord>,
  ask: Partial<LetterAsk> = {},
  answeredAt?: number,
  sent?: Pick<RequestRecord, 'arrivedAt'>,
) {
  const record = new Record(() => 100)
  for (const [worker, more] of [
    ['w1', {}],
    ['w2', of],
  ] as const) {
    const life = newLife({
      name: `${worker}.1`,
      worker,
      state: worker,
      boot: 0,
      startedAt: 0,
      isOfFleet: true,
      ...more,
    })
    record.lives.set(life.name, life)
    record.fleet.members.set(worker, life.name)
  }
  for (const [at, step] of facts) record.fleet.addFact('one', { at, isGivenUp: true, step, by: 'w2', results: [] })
  // At a stop its store has not answered yet, or has.
  record.fleet.addCall({
    life: 'w2.1',
    what: 'write',
    sentAt: 20,
    ...(answeredAt !== undefined && { endedAt: answeredAt }),
  })
  record.addRun({ life: 'w2.1', clinkId: 'one', attempt: 1, startedAt: 12, isRerun: true, ...run })
  if (sent !== undefined) record.requests.push({ ...SENT, ...sent })
  const asking = { state: 'w1', clinkId: 'one', what: 'retry', askedAt: 30, isUnderWay: true } as const
  record.asks.push({ ...asking, answeredAt: 31, answer: 'rerun', isElsewhere: true, ...ask })
  return unfinishedReruns(record).length
}

describe('the judge, of a rerun that its fleet takes for one that is under way (P1),', () => {
  it.for([
    ['by another member', {}],
    ['by the one that was asked', { state: 'w2', isElsewhere: false }],
  ] as const)('knows that it may be over %s, whose next process writes that', ([, ask]) => {
    expect(asked([...UNDER_WAY, [50]], { endedAt: 20 }, { crashedAt: 40 }, ask)).toBe(0)
  })

  it('knows that it may have ended with its process, of which the next one gives it up', () => {
    expect(asked([...UNDER_WAY, [50]], {}, { crashedAt: 40 })).toBe(0)
  })

  it('knows that its process may be stopped before its store has answered', () => {
    expect(asked([...UNDER_WAY, [50]], { endedAt: 20 }, { stoppedAt: 40 })).toBe(0)
  })

  const sentOnceMore: Steps = [...UNDER_WAY, [25, 'unknown'], [30.5, 'ready'], [34, 'sending'], [50]]
  const ask = { isElsewhere: false, isUnderWay: false }

  it('knows that its result has arrived when it was sent once more', () => {
    expect(asked(sentOnceMore, { endedAt: 20 }, { crashedAt: 40 }, ask, undefined, { arrivedAt: 36 })).toBe(0)
  })

  it.for([
    ['has not arrived', {}],
    ['had arrived before somebody asked for it', { arrivedAt: 24 }],
  ] as const)('notices one whose result %s', ([, sent]) => {
    expect(asked(sentOnceMore, { endedAt: 20 }, { crashedAt: 40 }, ask, undefined, sent)).toBe(1)
  })

  it('notices one of whose end a process says nothing whose store had answered before its stop', () => {
    expect(asked([...UNDER_WAY, [50]], { endedAt: 20 }, { stoppedAt: 40 }, {}, 35)).toBe(1)
  })

  it.for([
    ['that its fleet still takes for one', UNDER_WAY, { endedAt: 20 }, { crashedAt: 40 }, {}],
    ['that ended with its process, and that its fleet still takes for one', UNDER_WAY, {}, { crashedAt: 40 }, {}],
    ['of whose end a process says nothing that has not crashed', [...UNDER_WAY, [50]], { endedAt: 20 }, {}, {}],
    ['that was forgotten, and had run once before', [...UNDER_WAY, [50]], { endedAt: 5 }, { crashedAt: 40 }, {}],
    [
      'that was forgotten, of a letter at rest',
      [...UNDER_WAY, [25], [30.5, 'due'], [50]],
      { endedAt: 20 },
      { crashedAt: 40 },
      { isElsewhere: false, isUnderWay: false },
    ],
  ] as const)('notices one %s', ([, facts, run, of, ask]) => {
    expect(asked(facts, run, of, ask)).toBe(1)
  })
})
