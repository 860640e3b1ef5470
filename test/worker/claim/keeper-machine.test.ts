import { describe, expect, it } from 'vitest'
import type { ClinkApiError } from '../../../src/clink/errors.ts'
import type { KeeperMachine } from '../../../src/worker/claim/keeper-machine.ts'
import type { Lease } from '../../../src/worker/claim/lease.ts'
import {
  ASKED,
  error,
  failed,
  FIRST,
  grant,
  LEASE,
  make,
  names,
  NOW,
  states,
  type StateName,
  UNKNOWN,
  untilAsked,
} from './keeper-bench.ts'

/** What may happen to a claim. */
const happenings = {
  'a step too early': (machine: KeeperMachine) => void machine.step(FIRST - 1),
  'a step when it is due': (machine: KeeperMachine, now: number) => void machine.step(now),
  'an answer that extends': (machine: KeeperMachine, now: number) => void machine.granted(grant(ASKED), 'ours', now),
  'an answer that extends nothing': (machine: KeeperMachine, now: number) =>
    void machine.granted(grant(ASKED, false), 'ours', now),
  'an answer that shows a loss': (machine: KeeperMachine, now: number) =>
    void machine.granted(grant(ASKED), 'pending-again', now),
  'an answer that names a stranger': (machine: KeeperMachine, now: number) =>
    void machine.granted(grant(ASKED), 'stranger', now),
  'a refused length': (machine: KeeperMachine, now: number) => machine.lengthRefused(now),
  'a failure': (machine: KeeperMachine, now: number) => void machine.failed(failed(), now),
  'a refusal': (machine: KeeperMachine, now: number) => machine.refused(error(409), now),
  'a look that shows nothing': (machine: KeeperMachine, now: number) => void machine.looked('ours', now),
  'a look that shows a loss': (machine: KeeperMachine, now: number) => void machine.looked('taken', now),
  'a stranger at its key': (machine: KeeperMachine) => machine.disowned('taken'),
  'the end of renewal': (machine: KeeperMachine) => machine.stopRenewing(),
  'the end of the claim': (machine: KeeperMachine) => machine.stop(),
} satisfies Record<string, (machine: KeeperMachine, now: number) => void>

function shown(machine: KeeperMachine): string {
  const { ending, state } = machine
  if (ending === undefined) return state
  return `${state}: ${ending.is === 'lost' ? ending.cause : ending.is}`
}

const SAME = '.'
const was = 'over: taken'
const lost = 'over: pending-again'

describe('a claim that a poll made anew', () => {
  const known: Lease = { ...LEASE, serverStart: 1_000_000 }
  /** Of 40 s from second 20 on. */
  const anew: Lease = {
    ...known,
    grantedAt: 20_000,
    end: 60_000,
    deadline: 56_000,
    serverStart: 1_020_000,
    serverEnd: 1_060_000,
  }

  it('ends and is renewed by its own length, where that is earlier', () => {
    const machine = make({ lease: known })
    expect(machine.claimedAnew({ ...anew, end: 40_000, deadline: 38_000 })).toBe(true)
    expect(machine.dueAt).toBe(25_400)
    expect(machine.stands(37_999)).toBe(true)
    expect(machine.stands(38_000)).toBe(false)
  })

  it.each([
    ['ends later', { deadline: 90_001 }],
    ['began when the known one did', { serverStart: 1_000_000 }],
    ['does not tell its length', { basis: 'unknown' }],
  ] as const)('changes nothing where it %s', (_, more) => {
    const machine = make({ lease: known })
    expect(machine.claimedAnew({ ...anew, ...more })).toBe(false)
    expect(machine.lease).toBe(known)
  })

  it.each([
    ['fails', (machine: KeeperMachine): void => void machine.failed(failed(known), NOW)],
    ['is refused', (machine: KeeperMachine): void => machine.refused(error(409), NOW)],
  ] as const)('counts though a renewal that was on its way %s', (_, answer) => {
    const machine = make({ lease: known })
    machine.step(ASKED)
    expect(machine.state).toBe('asking')
    machine.claimedAnew(anew)
    answer(machine)
    expect(machine.lease).toBe(anew)
  })
})

describe('§2: what a claim needs, state by state', () => {
  it.for<[keyof typeof happenings, Record<StateName, string>, string]>([
    // prettier-ignore
    ['a step too early', { waiting: SAME, asking: SAME, refused: 'looking', looking: SAME, resting: SAME, over: SAME }, 'renewals start at a third of the lease'],
    // prettier-ignore
    ['a step when it is due', { waiting: 'asking', asking: SAME, refused: 'looking', looking: SAME, resting: SAME, over: SAME }, 'one renewal at a time (P4)'],
    // prettier-ignore
    ['an answer that extends', { waiting: SAME, asking: 'waiting', refused: SAME, looking: SAME, resting: SAME, over: SAME }, 'only what was asked is answered'],
    // prettier-ignore
    ['an answer that extends nothing', { waiting: SAME, asking: 'refused', refused: SAME, looking: SAME, resting: SAME, over: SAME }, 'a renewal that extends nothing is a refusal'],
    // prettier-ignore
    ['an answer that shows a loss', { waiting: SAME, asking: lost, refused: SAME, looking: SAME, resting: SAME, over: SAME }, 'pending is lost now (P2)'],
    // prettier-ignore
    ['an answer that names a stranger', { waiting: SAME, asking: 'over: left', refused: SAME, looking: SAME, resting: SAME, over: SAME }, 'what is not ours is not worked (P3, §8)'],
    // prettier-ignore
    ['a refused length', { waiting: SAME, asking: 'waiting', refused: SAME, looking: SAME, resting: SAME, over: SAME }, 'again without timeout_seconds'],
    // prettier-ignore
    ['a failure', { waiting: SAME, asking: 'waiting', refused: SAME, looking: SAME, resting: SAME, over: SAME }, 'at least four tries fit (P4)'],
    // prettier-ignore
    ['a refusal', { waiting: SAME, asking: 'refused', refused: SAME, looking: SAME, resting: SAME, over: SAME }, 'a look proves nothing but a loss'],
    // prettier-ignore
    ['a look that shows nothing', { waiting: SAME, asking: SAME, refused: SAME, looking: 'resting', resting: SAME, over: SAME }, 'the handler may go on until the deadline'],
    // prettier-ignore
    ['a look that shows a loss', { waiting: SAME, asking: SAME, refused: SAME, looking: was, resting: SAME, over: SAME }, 'another owner is lost now (P2)'],
    // prettier-ignore
    ['a stranger at its key', { waiting: was, asking: was, refused: was, looking: was, resting: was, over: SAME }, 'its clink was never ours (P15)'],
    // prettier-ignore
    ['the end of renewal', { waiting: 'resting', asking: 'resting', refused: 'resting', looking: 'resting', resting: SAME, over: SAME }, 'no renewal overtakes a release (P7)'],
    // prettier-ignore
    ['the end of the claim', { waiting: 'over', asking: 'over', refused: 'over', looking: 'over', resting: 'over', over: SAME }, 'nothing is asked about a settled claim'],
  ])('%s: %o (%s)', ([happening, expected]) => {
    for (const name of names) {
      const machine = states[name]()
      const before = shown(machine)
      happenings[happening](machine, NOW)
      expect(shown(machine), name).toBe(expected[name] === SAME ? before : expected[name])
    }
  })

  it('has a row for everything that may happen, and its states are what they are called', () => {
    for (const name of names) expect(states[name]().state).toBe(name)
    expect(Object.keys(happenings)).toHaveLength(14)
  })

  it('is lost whatever comes at its deadline, and no answer brings it back (P2)', () => {
    const causes = [
      ['waiting', 'expired'],
      ['asking', 'expired'],
      ['refused', 'refused'],
      ['looking', 'refused'],
      ['resting', 'refused'],
    ] as const
    for (const [name, cause] of causes) {
      for (const [happening, happens] of Object.entries(happenings).slice(1, -3)) {
        const machine = states[name]()
        expect(machine.stands(LEASE.deadline - 1)).toBe(true)
        expect(machine.stands(LEASE.deadline)).toBe(false)
        expect(machine.ending, 'a question ends nothing').toBeUndefined()
        happens(machine, LEASE.deadline)
        machine.step(LEASE.deadline)
        expect(machine.ending, `${name}, ${happening}`).toEqual({ is: 'lost', cause, isUnusable: false })
        expect(machine.granted(grant(LEASE.deadline), 'ours', LEASE.deadline)).toBeUndefined()
        expect(machine.step(LEASE.deadline)).toEqual({ do: 'end' })
      }
    }
  })
})

/** Local times of the tries of one round in which all fail at once, or hang. */
function tries(machine: KeeperMachine, hangs: boolean, more: Partial<ClinkApiError> = {}): number[] {
  const times: number[] = []
  for (let now = 0; machine.stands(now);) {
    const step = machine.step(now)
    if (step.do === 'renew') times.push(now)
    now = step.do === 'renew' ? now + (hangs ? step.timeout : 10) : step.do === 'end' ? now : step.next
    if (step.do === 'renew' && machine.stands(now)) machine.failed(failed(step.asking.lease, more), now)
  }
  return times
}

describe('§2: when a claim is renewed', () => {
  it('at a third of its lease, less a jitter, and again at a third of the new one', () => {
    const machine = make()
    expect(machine.step(0)).toEqual({ do: 'wait', next: FIRST })
    expect(untilAsked(machine, 0).now).toBe(FIRST)
    expect(machine.granted(grant(FIRST), 'ours', FIRST + 5)).toBe('extended')
    expect(machine.step(FIRST + 5)).toEqual({ do: 'wait', next: FIRST + 27_000 })
  })

  it('one at a time: nothing is due before the one on its way is answered or the claim is over (P4)', () => {
    const machine = make()
    expect(machine.step(ASKED)).toMatchObject({ do: 'renew', next: LEASE.deadline })
    for (const now of [ASKED, NOW, LEASE.deadline - 1])
      expect(machine.step(now)).toEqual({ do: 'wait', next: LEASE.deadline })
  })

  it('soon again after an answer that came too early to be called a refusal', () => {
    const machine = make({ lease: UNKNOWN })
    expect(untilAsked(machine, 0).now).toBe(0)
    machine.granted(grant(0, true, UNKNOWN), 'ours', 10)
    untilAsked(machine, 10)
    const told = grant(0).lease
    expect(machine.granted({ ...grant(20_000), lease: { ...told } }, 'ours', 20_000)).toBe('unmoved')
    expect(machine.step(20_000)).toEqual({ do: 'wait', next: 20_000 + 70_000 / 3 })
  })

  it('no more in the last moments of a claim that renewals have not moved: a try that fails for lack of time is no answer', () => {
    const machine = make({ lease: UNKNOWN })
    untilAsked(machine, 0)
    machine.granted(grant(0, true, UNKNOWN), 'ours', 0)
    const asked: number[] = []
    for (let now = 0; machine.stands(now);) {
      const step = machine.step(now)
      if (step.do === 'renew') {
        asked.push(now)
        machine.granted({ ...grant(now), lease: grant(0).lease, grant: { ...grant(1_000).grant } }, 'ours', now)
      } else if (step.do === 'wait') now = step.next
    }
    machine.step(LEASE.deadline)
    expect(asked.length).toBeGreaterThan(4)
    expect(asked.at(-1)).toBeLessThan(LEASE.deadline - 250)
    expect(machine.ending).toMatchObject({ cause: 'refused' })
  })

  it.for([
    ['answers with an error', false, {}],
    ['does not answer', true, {}],
    ['asks to wait for longer than there is', false, { retryAfter: 3_600_000 }],
  ] as const)('at least four times within what is left where the service %s (P4)', ([, hangs, more]) => {
    const times = tries(make(), hangs, more)
    expect(times.length).toBeGreaterThanOrEqual(4)
    expect(times.every((time) => time >= FIRST && time < LEASE.deadline)).toBe(true)
  })

  it.for([
    ['the service', { status: 503 }],
    ['something in front of it', { status: 403, failure: 'foreign' }],
  ] as const)('less often where %s answers at once than where nobody is reached', ([, answered]) => {
    expect(tries(make(), false, answered).length).toBeLessThan(tries(make(), false, { status: 0 }).length / 2)
    expect(tries(make(), false, answered).length).toBeGreaterThanOrEqual(4)
  })

  it('at once without a length that was refused, and with one in the next round', () => {
    const machine = make()
    untilAsked(machine, 0)
    machine.lengthRefused(FIRST)
    const again = untilAsked(machine, FIRST)
    expect(again).toMatchObject({ now: FIRST, asksLength: false })
    machine.granted(grant(FIRST), 'ours', FIRST)
    expect(untilAsked(machine, FIRST)).toMatchObject({ asksLength: true })
  })

  it('no more once renewal ended, whatever the renewal on its way brings (P7)', () => {
    const machine = states.asking()
    machine.stopRenewing()
    expect(machine.granted(grant(ASKED), 'ours', NOW)).toBeUndefined()
    expect(machine.lease).toBe(LEASE)
    expect(machine.step(NOW)).toEqual({ do: 'rest', next: LEASE.deadline })
  })

  it('but that one may have made the claim shorter (P2)', () => {
    const machine = states.asking()
    machine.stopRenewing()
    const { lease: longer } = grant(ASKED)
    machine.answeredLate(grant(ASKED))
    expect(longer.deadline).toBeGreaterThan(LEASE.deadline)
    expect(machine.lease).toBe(LEASE)
    const shorter = { ...longer, end: NOW + 2_000, deadline: NOW + 1_750 }
    machine.answeredLate({ ...grant(ASKED), lease: shorter })
    expect(machine.lease).toBe(shorter)
    machine.answeredLate({ is: 'refused', error: error(409) })
    expect(machine.lease).toBe(shorter)
    expect(machine.step(NOW)).toEqual({ do: 'rest', next: shorter.deadline })
  })

  it('at once where a jump of the clock has brought its deadline near', () => {
    const machine = make()
    machine.step(0)
    expect(untilAsked(machine, 80_000).now).toBe(80_000)
  })
})

describe('§2: a renewal that asks for less than is left', () => {
  const long: Lease = { ...LEASE, end: 300_000, deadline: 270_000 }

  it('may have shortened the claim from the moment in which it is sent, and until it is answered (P2)', () => {
    const machine = make({ lease: long, asked: 30_000 })
    const { now, timeout } = untilAsked(machine, 0)
    expect(now).toBe(81_000)
    expect(machine.lease.deadline).toBe(now + 30_000 - 4_000)
    expect(timeout).toBeLessThan(26_000 / 4)
    machine.failed(failed(machine.lease), now + timeout)
    expect(machine.lease.deadline).toBe(now + 26_000)
    expect(machine.stands(now + 26_000)).toBe(false)
  })

  it('has shortened nothing where it was surely not sent, or the answer says so', () => {
    const machine = make({ lease: long, asked: 30_000 })
    const { now } = untilAsked(machine, 0)
    machine.failed(failed(long), now)
    expect(machine.lease).toBe(long)
    untilAsked(machine, now)
    machine.lengthRefused(now + 1_000)
    expect(machine.lease).toBe(long)
  })
})

describe('§2, §8: a claim that has to be confirmed', () => {
  const unknown = { lease: UNKNOWN }
  const strange = { isStrange: true }
  const first = { renewsFirst: true }

  it.for([unknown, strange, first])('is asked about at once, and confirmed by an answer: %o', (wish) => {
    const machine = make(wish)
    expect(machine.isUnconfirmed).toBe(true)
    untilAsked(machine, 0)
    expect(machine.isUnconfirmed).toBe(true)
    machine.granted(grant(0, true, wish === unknown ? UNKNOWN : LEASE), 'ours', 10)
    expect(machine).toMatchObject({ isUnconfirmed: false, state: 'waiting' })
  })

  it.for([
    [unknown, true],
    [strange, false],
    [first, false],
  ] as const)('is left to expire where the service refuses to renew it: %o', ([wish, isUnusable]) => {
    const machine = make(wish)
    untilAsked(machine, 0)
    machine.refused(error(409), 10)
    machine.step(10)
    expect(machine.looked('ours', 20)).toBeUndefined()
    expect(machine.ending).toMatchObject({ is: 'left', isUnusable })
  })

  it('is left where a renewal shows the same end to the millisecond, since then it was none', () => {
    const machine = make(unknown)
    untilAsked(machine, 0)
    const answer = grant(0, false, UNKNOWN)
    machine.granted({ ...answer, lease: { ...answer.lease, basis: 'assumed' } }, 'ours', 10)
    expect(machine.ending).toMatchObject({ is: 'left', isUnusable: true })
  })

  it('is worked until its deadline where the owner is ours and the renewal has extended nothing', () => {
    const machine = make(strange)
    untilAsked(machine, 0)
    machine.failed(failed(), 40_000)
    const { now } = untilAsked(machine, 40_000)
    machine.granted(grant(now, false), 'ours', now)
    machine.step(now)
    expect(machine.looked('ours', now)).toMatchObject({ why: 'a renewal extended nothing' })
    expect(machine).toMatchObject({ isUnconfirmed: false, state: 'resting', ending: undefined })
  })

  it('counts as unusable where something in front of the service refused until its end', () => {
    const machine = make(unknown)
    expect(tries(machine, false, { status: 403, failure: 'foreign' }).length).toBeGreaterThanOrEqual(4)
    machine.step(LEASE.deadline)
    expect(machine.ending).toEqual({ is: 'lost', cause: 'expired', isUnusable: true })
  })
})

describe('§3: a claim for which nothing runs', () => {
  it('rests from the beginning where nothing has to be confirmed', () => {
    expect(make({ renews: false }).step(0)).toEqual({ do: 'rest', next: LEASE.deadline })
  })

  it('is confirmed once and then rests', () => {
    const machine = make({ renews: false, lease: UNKNOWN })
    untilAsked(machine, 0)
    expect(machine.granted(grant(0, true, UNKNOWN), 'ours', 10)).toBe('extended')
    expect(machine.step(10).do).toBe('rest')
  })

  it('is not worth more than four tries; it may still be given back then', () => {
    const machine = make({ renews: false, lease: UNKNOWN })
    const step = (now: number): number => {
      const { now: at } = untilAsked(machine, now)
      machine.failed(failed(UNKNOWN), at)
      return at
    }
    const last = [1, 2, 3, 4].reduce(step, 0)
    expect(machine.step(last).do).toBe('rest')
    expect(machine.isUnconfirmed).toBe(true)
    expect(machine.stands(last)).toBe(true)
  })

  it('is left without a look where the service refuses to renew it', () => {
    const machine = make({ renews: false, lease: UNKNOWN })
    untilAsked(machine, 0)
    machine.refused(error(404), 10)
    expect(machine).toMatchObject({ state: 'over', ending: { is: 'left', isUnusable: true } })
  })
})

describe('§5: while a completion is on its way', () => {
  it('a clink that shows as completed is left to it, and a refusal is not told', () => {
    const answered = states.asking()
    answered.completing = true
    answered.granted(grant(ASKED), 'completed-elsewhere', NOW)
    expect(answered).toMatchObject({ state: 'resting', ending: undefined })

    const looked = states.looking()
    looked.completing = true
    expect(looked.looked('completed-elsewhere', NOW)).toBeUndefined()
    expect(looked).toMatchObject({ state: 'resting', ending: undefined })

    const refused = states.looking()
    refused.completing = true
    expect(refused.looked('ours', NOW)).toBeUndefined()
  })

  it('any other loss is one, and without it so is a completion', () => {
    const taken = states.asking()
    taken.completing = true
    taken.granted(grant(ASKED), 'taken', NOW)
    expect(taken.ending).toEqual({ is: 'lost', cause: 'taken', isUnusable: false })
    const completed = states.looking()
    completed.looked('completed-elsewhere', NOW)
    expect(completed.ending).toEqual({ is: 'lost', cause: 'completed-elsewhere', isUnusable: false })
  })
})

describe('§2: why a claim is lost at its deadline', () => {
  it('is the refusal where the last renewal was answered and brought nothing, unless we were too late to ask again', () => {
    const early = grant(20_000)
    const machine = (): KeeperMachine => {
      const made = make({ lease: UNKNOWN })
      untilAsked(made, 0)
      made.granted(grant(0, true, UNKNOWN), 'ours', 0)
      untilAsked(made, 0)
      expect(made.granted({ ...early, lease: { ...grant(0).lease } }, 'ours', 20_000)).toBe('unmoved')
      return made
    }
    const late = machine()
    late.step(LEASE.deadline)
    expect(late.ending).toEqual({ is: 'lost', cause: 'expired', isUnusable: false })
    const asked = machine()
    untilAsked(asked, 20_000)
    asked.step(LEASE.deadline)
    expect(asked.ending).toEqual({ is: 'lost', cause: 'refused', isUnusable: false })
  })
})
