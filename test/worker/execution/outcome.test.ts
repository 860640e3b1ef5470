import { describe, expect, it } from 'vitest'
import { errorFact } from '../../../src/base/error-fact.ts'
import type { Policy } from '../../../src/handlers/policy.ts'
import type { Outcome } from '../../../src/runners/outcome.ts'
import { decide, decideCancelled, decideUnstarted } from '../../../src/worker/execution/outcome.ts'

const retry = {
  attempts: 3,
  backoff: 5_000,
  maxBackoff: 60_000,
  cooldown: 3_600_000,
  crashes: 3,
  outage: 0,
  onExhausted: 'release' as const,
}
const policy: Pick<Policy, 'maxHold' | 'retry'> = { retry, maxHold: 100_000 }

describe('outcome, attempt and policy decide what follows', () => {
  const failed: Outcome = { outcome: 'failed', error: errorFact('broken') }
  const state = { clinkId: 'msg_1', attempt: 1, heldFor: 0, now: 1_000_000, isFree: false }
  const half = (): number => 0.5
  const follow = (outcome: Outcome, changed: Partial<typeof state> = {}, rules = policy): unknown =>
    decide(outcome, { ...state, ...changed }, rules, half)

  it.each<[string, Outcome, Partial<typeof state>, unknown]>([
    ['done completes', { outcome: 'done' }, {}, { do: 'complete' }],
    [
      'done with a response completes with it',
      { outcome: 'done', response: 'hi' },
      {},
      { do: 'complete', response: 'hi' },
    ],
    [
      'release gives back and cools down',
      { outcome: 'release', reason: 'busy' },
      {},
      { do: 'release', why: 'handler', reason: 'busy', cooldown: 3_600_000, countsAttempt: true },
    ],
    [
      'retry holds and costs no attempt',
      { outcome: 'retry', after: 9_000, reason: 'later' },
      {},
      { do: 'hold', wait: 9_000, why: 'later', countsAttempt: false },
    ],
    [
      'retry waits a second at least',
      { outcome: 'retry', after: 1 },
      {},
      { do: 'hold', wait: 1_000, why: 'the handler asked to wait', countsAttempt: false },
    ],
    [
      'retry past the longest hold gives back until then',
      { outcome: 'retry', after: 9_000 },
      { heldFor: 95_000 },
      {
        do: 'release',
        why: 'hold-too-long',
        reason: 'the handler asked to wait',
        cooldown: 9_000,
        countsAttempt: false,
      },
    ],
    [
      'asleep holds until it is to wake, and costs no attempt',
      { outcome: 'asleep', name: 'overnight', until: 1_040_000 },
      {},
      { do: 'hold', wait: 40_000, why: 'it sleeps: overnight', countsAttempt: false, isSleep: true },
    ],
    [
      'asleep until a time that has passed waits for a second, so that it goes round in no hot loop (P10)',
      { outcome: 'asleep', name: 'overnight', until: 0 },
      {},
      { do: 'hold', wait: 1_000, why: 'it sleeps: overnight', countsAttempt: false, isSleep: true },
    ],
    [
      'asleep past the longest hold gives back until then',
      { outcome: 'asleep', name: 'overnight', until: 1_040_000 },
      { heldFor: 95_000 },
      { do: 'release', why: 'hold-too-long', reason: 'it sleeps: overnight', cooldown: 40_000, countsAttempt: false },
    ],
    [
      'unavailable gives back for as long as it is asked to, and costs no attempt',
      { outcome: 'unavailable', reason: 'connection refused', retryAfter: 30_000 },
      { attempt: 3 },
      { do: 'release', why: 'unavailable', reason: 'connection refused', cooldown: 30_000, countsAttempt: false },
    ],
    [
      'unavailable that asks for no time gives back for the backoff',
      { outcome: 'unavailable', reason: 'connection refused' },
      {},
      { do: 'release', why: 'unavailable', reason: 'connection refused', cooldown: 5_000, countsAttempt: false },
    ],
    ['a failure holds for the backoff', failed, {}, { do: 'hold', wait: 3_750, why: 'broken', countsAttempt: true }],
    [
      'a second failure holds for twice the backoff',
      failed,
      { attempt: 2 },
      { do: 'hold', wait: 7_500, why: 'broken', countsAttempt: true },
    ],
    [
      'the last failure buries',
      failed,
      { attempt: 3 },
      {
        do: 'deadLetter',
        why: 'exhausted',
        reason: 'broken',
        tell: 'release',
        notice: 'This could not be done (handler-failed, msg_1).',
      },
    ],
    [
      'a failure that is not the clink’s fault holds, however many there were, and costs no attempt',
      failed,
      { attempt: 3, isFree: true },
      { do: 'hold', wait: 15_000, why: 'broken', countsAttempt: false },
    ],
    [
      'a hold that ends with the longest hold is kept',
      { outcome: 'retry', after: 9_000 },
      { heldFor: 91_000 },
      { do: 'hold', wait: 9_000, why: 'the handler asked to wait', countsAttempt: false },
    ],
    [
      'reject buries at once',
      { outcome: 'reject', reason: 'no such target' },
      {},
      {
        do: 'deadLetter',
        why: 'rejected',
        reason: 'no such target',
        tell: 'release',
        notice: 'This could not be done: no such target',
      },
    ],
  ])('%s', (_, outcome, changed, decision) => {
    expect(follow(outcome, changed)).toStrictEqual(decision)
  })

  it('backs off no longer than maxBackoff', () => {
    const many = { ...policy, retry: { ...retry, attempts: 99 } }
    expect(follow(failed, { attempt: 50 }, many)).toMatchObject({ do: 'hold', wait: 45_000 })
  })

  it('with one attempt, completes what works and gives back what fails', () => {
    const plain = { ...policy, retry: { ...retry, attempts: 1 } }
    expect(follow({ outcome: 'done' }, {}, plain)).toMatchObject({ do: 'complete' })
    expect(follow(failed, {}, plain)).toMatchObject({ do: 'deadLetter', tell: 'release' })
  })

  it('tells the sender where onExhausted is complete, and never the text of an error', () => {
    const telling = { ...policy, retry: { ...retry, attempts: 1, onExhausted: 'complete' as const } }
    const decision = follow({ outcome: 'failed', error: errorFact('password is hunter2') }, {}, telling)
    expect(decision).toMatchObject({
      do: 'deadLetter',
      tell: 'complete',
      notice: expect.not.stringContaining('hunter2'),
    })
  })
})

describe('what follows, before a start, from claims that were outlived', () => {
  const known = { clinkId: 'msg_1', timesAbsent: false }

  it('nothing, until there are as many as attempts', () => {
    expect([0, 1, 2].map((outlived) => decideUnstarted({ ...known, times: outlived }, policy))).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })

  it('a release, whatever there were, where somebody else has made the claim needless', () => {
    const decision = decideUnstarted({ ...known, times: 3, inFleet: 3, givenBack: 'it is a dead letter' }, policy)
    expect(decision).toEqual({ do: 'release', why: 'parked', reason: 'it is a dead letter', countsAttempt: false })
  })

  it('a dead letter then, that says what to do', () => {
    expect(decideUnstarted({ ...known, times: 3 }, policy)).toEqual({
      do: 'deadLetter',
      why: 'exhausted',
      reason:
        'its claim ran out 3 times while the handler ran, and the service does not renew claims: make the handler shorter',
      tell: 'release',
      notice: 'This could not be done (claim-ran-out, msg_1).',
    })
  })

  it('says that renewals may be unseen where the answers carry no times', () => {
    expect(decideUnstarted({ ...known, times: 4, timesAbsent: true }, policy)).toMatchObject({
      reason: expect.stringMatching(/^its claim ran out 4 times .*nothing shows .*claim\.trustRenewals/),
    })
  })

  it('a dead letter where nothing tells whether the clink is the route’s, of which the sender reads no more than that', () => {
    expect(decideUnstarted({ ...known, times: 0, fault: 'its pattern takes too long' }, policy)).toEqual({
      do: 'deadLetter',
      why: 'rejected',
      reason: 'its pattern takes too long',
      tell: 'release',
      notice: 'This could not be done (match-timeout, msg_1).',
    })
  })

  it('a dead letter where the fleet has started it as often as it may be, whoever lost the last start', () => {
    expect(decideUnstarted({ ...known, times: 0, inFleet: 2 }, policy)).toBeUndefined()
    expect(decideUnstarted({ ...known, times: 0, inFleet: 3 }, policy)).toEqual({
      do: 'deadLetter',
      why: 'exhausted',
      reason: 'it was started 3 times in the fleet, and what came of the last start is not known',
      tell: 'release',
      notice: 'This could not be done (handler-failed, msg_1).',
    })
    const plain = { ...policy, retry: { ...retry, attempts: 1 } }
    expect(decideUnstarted({ ...known, times: 0, inFleet: 1 }, plain)).toMatchObject({
      reason: expect.stringMatching(/^it was started once in the fleet/),
    })
  })

  it('tells the sender where onExhausted is complete', () => {
    const telling = { ...policy, retry: { ...retry, onExhausted: 'complete' as const } }
    expect(decideUnstarted({ ...known, times: 3 }, telling)).toMatchObject({ do: 'deadLetter', tell: 'complete' })
  })
})

describe('what follows where an operator ends a run', () => {
  it('the clink is given back and left alone for a while, and no attempt is counted', () => {
    expect(decideCancelled('release', 'wrong one', 'msg_1', policy.retry)).toEqual({
      do: 'release',
      why: 'cancelled',
      reason: 'wrong one',
      cooldown: 3_600_000,
      countsAttempt: false,
    })
  })

  it('or it is a dead letter, and the sender does not read who ended it, or why', () => {
    expect(decideCancelled('reject', 'wrong one', 'msg_1', policy.retry)).toEqual({
      do: 'deadLetter',
      why: 'rejected',
      reason: 'wrong one',
      tell: 'release',
      notice: 'This could not be done (cancelled, msg_1).',
    })
  })
})
