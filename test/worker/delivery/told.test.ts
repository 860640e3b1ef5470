import { describe, expect, it } from 'vitest'
import type { WorkerEvent } from '../../../src/events.ts'
import type { Handle, Settled } from '../../../src/worker/delivery/handle.ts'
import { settleBy, settleWaiting, tellEnd, tellStart } from '../../../src/worker/delivery/told.ts'
import type { Decision } from '../../../src/worker/execution/outcome.ts'
import type { Start } from '../../../src/worker/execution/start.ts'
import { WorkerSignals } from '../../../src/worker/signals.ts'
import { clink } from '../../support/sample-records.ts'

const facts = { clink, route: 'work', attempt: 2 }

/** A clink in hand, of which each way to settle it says how it was called. */
function handleOf(hasKept = false): Handle {
  const say =
    (what: string) =>
    (...args: readonly unknown[]): unknown => [what, ...args]
  return {
    hasKept,
    complete: say('complete'),
    completeKept: say('completeKept'),
    giveUp: say('giveUp'),
    release: say('release'),
  } as unknown as Handle
}

/** What a start costs: a word in place of a promise. */
const start = {
  takeBack: () => 'taken back',
  charge: ({ countsAttempt }: { readonly countsAttempt: boolean }) => (countsAttempt ? 'charged' : 'free'),
} as unknown as Start

describe('what Clink is told', () => {
  const hold: Decision = { do: 'hold', wait: 5_000, why: 'it fails', countsAttempt: true }

  it.each<[string, Decision | undefined, unknown]>([
    ['of a run that a stop has cut short', undefined, ['release', 'shutdown', { noted: 'taken back' }]],
    ['of an answer', { do: 'complete', response: 'done' }, ['complete', 'done']],
    [
      'of what its handler gives back',
      { do: 'release', why: 'handler', reason: 'busy', cooldown: 7, countsAttempt: false },
      ['release', 'handler', { reason: 'busy', cooldown: 7, noted: 'free' }],
    ],
    [
      'of what fails and may not back off in hand, which is left alone for as long',
      hold,
      ['release', 'too-many-held', { reason: 'it fails', cooldown: 5_000, noted: 'charged' }],
    ],
    [
      'of what is given up',
      { do: 'deadLetter', why: 'rejected', reason: 'no', tell: 'release', notice: 'No.' },
      ['giveUp', expect.objectContaining({ why: 'rejected', reason: 'no', tell: 'release', notice: 'No.' })],
    ],
  ])('%s', (_, decision, told) => {
    expect(settleBy(decision, handleOf(), start, false)).toEqual(told)
  })

  it('of what fails while the worker stops', () => {
    expect(settleBy(hold, handleOf(), start, true)).toEqual([
      'release',
      'shutdown',
      { reason: 'it fails', cooldown: 5_000, noted: 'charged' },
    ])
  })

  it('of what has not started costs nothing', () => {
    const release: Decision = { do: 'release', why: 'cancelled', countsAttempt: true }
    const told = [undefined, release, hold].map((decision) => settleBy(decision, handleOf(), undefined, false))
    expect(told).toEqual([
      ['release', 'shutdown', { noted: undefined }],
      ['release', 'cancelled', { noted: undefined }],
      ['release', 'too-many-held', { reason: 'it fails', cooldown: 5_000, noted: undefined }],
    ])
  })
})

describe('what Clink is told of a clink that waits, and will not start', () => {
  it('is that it is given back, and for how long it is left alone', () => {
    expect(settleWaiting(handleOf(), 3_000, undefined)).toEqual(['release', 'shutdown', { cooldown: 3_000 }])
  })

  it('is its result, where it has one (P5)', () => {
    expect(settleWaiting(handleOf(true), 3_000, undefined)).toEqual(['completeKept'])
  })

  it('is what an operator wants, whatever it has', () => {
    const cancelled: Decision = { do: 'release', why: 'cancelled', countsAttempt: false }
    expect(settleWaiting(handleOf(true), 3_000, cancelled)).toEqual(['release', 'cancelled', { noted: undefined }])
  })
})

/** What is said, and what is acted by. */
function heard() {
  const events: WorkerEvent[] = []
  const acted: unknown[] = []
  const signals = new WorkerSignals()
  signals.settled.on((...args) => acted.push(args))
  signals.started.on(() => acted.push('started'))
  return { acted, events, tellers: { emit: (event: WorkerEvent) => events.push(event), signals } }
}

describe('how a clink in hand has ended', () => {
  it.each<[Settled, object]>([
    [
      { is: 'completed', response: 'done', responseId: 'msg_2', presumed: false, duration: 20 },
      { event: 'clink.completed', response: 'done', responseId: 'msg_2', presumed: false, duration: 120 },
    ],
    [
      { is: 'released', why: 'handler', reason: 'busy', duration: 20 },
      { event: 'clink.released', why: 'handler', reason: 'busy', duration: 20 },
    ],
    [
      { is: 'elsewhere', detail: 'by ann' },
      { event: 'clink.settledElsewhere', detail: 'by ann' },
    ],
    [
      { is: 'left-to-expire', why: 'no answer' },
      { event: 'clink.leftToExpire', why: 'no answer' },
    ],
    [
      { is: 'lost', cause: 'taken', whileTelling: false, lapsedAt: undefined },
      { event: 'clink.lost', cause: 'taken' },
    ],
    [
      { is: 'lost', cause: 'expired', whileTelling: true, lapsedAt: 7 },
      {
        event: 'clink.lost',
        cause: 'expired',
        detail: 'while Clink was being told about the result; it may have taken it',
      },
    ],
  ])('%o', (settled, event) => {
    const { acted, events, tellers } = heard()
    tellEnd(settled, facts, tellers, 100)
    expect(events).toStrictEqual([{ ...facts, ...event }])
    expect(acted).toEqual([[clink, settled]])
  })

  it('takes as long as Clink took to be told, where no handler ran', () => {
    const { events, tellers } = heard()
    tellEnd({ is: 'completed', presumed: false, duration: 20 }, facts, tellers)
    expect(events).toMatchObject([{ duration: 20 }])
  })

  it.each<Settled>([{ is: 'unconfirmed' }, { is: 'kept' }])('is said by others of %o', (settled) => {
    const { acted, events, tellers } = heard()
    tellEnd(settled, facts, tellers)
    expect([events, acted]).toEqual([[], []])
  })
})

describe('a start', () => {
  it('is told with what the clink has waited', () => {
    const { acted, events, tellers } = heard()
    tellStart({ facts, of: 'claim' }, 300, tellers)
    expect(events).toStrictEqual([{ event: 'clink.started', ...facts, waited: 300 }])
    expect(acted).toEqual(['started'])
  })

  it('of a dead letter is a step of its rerun, and says nothing about claims', () => {
    const { acted, events, tellers } = heard()
    tellStart({ facts, of: 'letter' }, 300, tellers)
    expect(events).toStrictEqual([{ event: 'clink.rerun', ...facts, step: 'run' }])
    expect(acted).toEqual([])
  })
})
