import { describe, expect, it } from 'vitest'
import type { KeeperMachine } from '../../../src/worker/claim/keeper-machine.ts'
import { ASKED, error, failed, grant, LEASE, make, NOW, states, UNKNOWN, untilAsked } from './keeper-bench.ts'

const FOREIGN = { status: 403, failure: 'foreign' } as const
const strange = { isStrange: true }
const first = { renewsFirst: true }

/** Refused on its first renewal, and looked at. */
function refusedAt(machine: KeeperMachine, status = 409): KeeperMachine {
  untilAsked(machine, 0)
  machine.refused(error(status), 10)
  expect(machine.step(10)).toEqual({ do: 'look', next: LEASE.deadline })
  expect(machine.step(11)).toEqual({ do: 'wait', next: LEASE.deadline })
  return machine
}

describe('§2: what there is to do', () => {
  it('is nothing before the deadline while a renewal is on its way, or the claim is looked at, or rests', () => {
    for (const name of ['asking', 'refused', 'looking', 'resting'] as const)
      expect(states[name]().dueAt, name).toBe(LEASE.deadline)
    expect(make().dueAt).toBe(27_000)
  })

  it('is nothing with a claim that is over: it does not stand, though its time is not', () => {
    expect(states.over().stands(ASKED)).toBe(false)
    expect(states.resting().stands(ASKED)).toBe(true)
  })
})

describe('§2: a refusal', () => {
  it('is told with the service’s word, and whether that holds for other claims too', () => {
    const said = (more: Parameters<typeof error>[1]): unknown => {
      const machine = states.asking()
      machine.refused(error(409, more), NOW)
      machine.step(NOW)
      return machine.looked('ours', NOW)
    }
    expect(said({})).toEqual({ why: 'the service answered 409', isKept: true })
    expect(said({ isBare: true })).toEqual({ why: 'the service answered 409', isKept: false })
  })

  it('by an answer that extends nothing is the service’s own word', () => {
    const machine = states.asking()
    machine.granted(grant(ASKED, false), 'ours', NOW)
    machine.step(NOW)
    expect(machine.looked('ours', NOW)).toEqual({ why: 'a renewal extended nothing', isKept: true })
  })

  it('of a claim that a look shows as nobody’s that is known takes it from nobody', () => {
    const machine = states.looking()
    expect(machine.looked('stranger', NOW)).toMatchObject({ why: 'the service answered 409' })
    expect(machine).toMatchObject({ state: 'resting', ending: undefined })
  })

  it('of a claim whose length was assumed leaves the work that runs for it: only one of unknown length is left at once', () => {
    const machine = make({ lease: { ...LEASE, basis: 'assumed' } })
    machine.step(ASKED)
    const answer = grant(ASKED, false)
    machine.granted({ ...answer, lease: { ...answer.lease, basis: 'assumed' } }, 'ours', NOW)
    expect(machine).toMatchObject({ state: 'refused', ending: undefined })
  })
})

describe('§2: an answer', () => {
  it('that comes late and shows an end which is over is the end of the claim (P2)', () => {
    const machine = states.asking()
    const answer = grant(ASKED)
    const lease = { ...answer.lease, end: NOW + 5, deadline: NOW, serverEnd: 5 }
    expect(machine.granted({ ...answer, lease }, 'ours', NOW)).toBeUndefined()
    expect(machine.ending).toEqual({ is: 'lost', cause: 'expired', isUnusable: false })
  })

  it('that gives a claim of unknown length its end for the first time is no refusal, whatever that end is', () => {
    const machine = make({ lease: UNKNOWN })
    untilAsked(machine, 0)
    machine.failed(failed(UNKNOWN), 40_000)
    const { now } = untilAsked(machine, 40_000)
    const answer = grant(now, false)
    machine.granted({ ...answer, lease: { ...LEASE, basis: 'told' } }, 'ours', now)
    expect(machine).toMatchObject({ state: 'waiting', ending: undefined })
  })

  it('that shows the result of a completion on its way has nothing left to confirm', () => {
    const machine = make(strange)
    machine.step(ASKED)
    machine.completing = true
    machine.granted(grant(ASKED), 'completed-elsewhere', NOW)
    expect(machine).toMatchObject({ state: 'resting', isUnconfirmed: false })
  })

  it('in the last half second of a claim that brings nothing is followed by no other', () => {
    const at = LEASE.deadline - 500
    const machine = make({ lease: UNKNOWN })
    untilAsked(machine, 0)
    machine.granted(grant(0, true, UNKNOWN), 'ours', 0)
    machine.step(at)
    const { lease } = grant(0)
    expect(machine.granted({ ...grant(1_000), lease }, 'ours', at)).toBe('unmoved')
    expect(machine.step(at)).toEqual({ do: 'wait', next: LEASE.deadline })
  })

  it('that refuses a length a quarter of a second before the end leaves the refusal as the cause', () => {
    const machine = make({ lease: UNKNOWN })
    untilAsked(machine, 0)
    machine.granted(grant(0, true, UNKNOWN), 'ours', 0)
    untilAsked(machine, 0)
    const { lease } = grant(0)
    expect(machine.granted({ ...grant(20_000), lease }, 'ours', 20_000)).toBe('unmoved')
    untilAsked(machine, 20_000)
    machine.lengthRefused(LEASE.deadline - 250)
    machine.step(LEASE.deadline)
    expect(machine.ending).toEqual({ is: 'lost', cause: 'refused', isUnusable: false })
  })
})

describe('§2, §8: why a claim is left to expire', () => {
  it.for([
    [{ lease: UNKNOWN }, 'the service does not say how long its claim lasts', true],
    [strange, 'another key made the claim', false],
    [first, 'its route has claims renewed first', false],
  ] as const)('is told where a renewal is refused: %o', ([wish, why, isUnusable]) => {
    const machine = refusedAt(make(wish))
    machine.looked('ours', 20)
    expect(machine.ending).toEqual({ is: 'left', why: `${why}, and to a renewal the service answered 409`, isUnusable })
  })

  it('is told where nothing runs for it, without a look', () => {
    const machine = make({ renews: false, ...strange })
    untilAsked(machine, 0)
    machine.refused(error(404), 10)
    expect(machine.ending).toMatchObject({
      why: 'another key made the claim, and to a renewal the service answered 404',
    })
  })

  it('is told where a renewal names somebody else, and where it has moved nothing', () => {
    const named = make(strange)
    untilAsked(named, 0)
    named.granted(grant(0), 'stranger', 10)
    expect(named.ending).toEqual({
      is: 'left',
      why: 'another key made the claim, and a renewal with this one names user_1',
      isUnusable: false,
    })
    const unmoved = make({ lease: UNKNOWN })
    untilAsked(unmoved, 0)
    const answer = grant(0, false, UNKNOWN)
    unmoved.granted({ ...answer, lease: { ...answer.lease, basis: 'assumed' } }, 'ours', 10)
    expect(unmoved.ending).toMatchObject({
      why: 'the service does not say how long its claim lasts, and a renewal extended nothing',
    })
  })

  it('is told where the key turns out to be somebody’s else: what another key has claimed may be ours, and no other', () => {
    const left = make(strange)
    left.disowned('taken')
    expect(left.ending).toEqual({
      is: 'left',
      why: "another key made the claim, and this one is somebody else's",
      isUnusable: false,
    })
    const lost = make()
    lost.disowned('taken')
    expect(lost.ending).toEqual({ is: 'lost', cause: 'taken', isUnusable: false })
    const barred = make(strange)
    barred.disowned('right-expired')
    expect(barred.ending).toEqual({ is: 'lost', cause: 'right-expired', isUnusable: false })
    lost.step(LEASE.deadline)
    const over = states.over()
    const { ending } = over
    over.disowned('taken')
    expect([over.ending, lost.ending]).toEqual([ending, { is: 'lost', cause: 'taken', isUnusable: false }])
    const settled = make()
    settled.stop()
    settled.disowned('taken')
    expect(settled.ending).toBeUndefined()
  })
})

describe('§2: that claims of unknown length come to nothing', () => {
  it.for([
    ['nobody answered', { lease: UNKNOWN }, undefined],
    ['the service was away', { lease: UNKNOWN }, { status: 503 }],
    ['another key had made the claim', strange, FOREIGN],
    ['its route has claims renewed first', first, FOREIGN],
    ['it was confirmed before', {}, FOREIGN],
  ] as const)('is not shown by one that ran out because %s', ([, wish, more]) => {
    const machine = make(wish)
    const { now } = untilAsked(machine, 0)
    if (more !== undefined) machine.failed(failed(machine.lease, more), now)
    machine.step(LEASE.deadline)
    expect(machine.ending).toEqual({ is: 'lost', cause: 'expired', isUnusable: false })
  })

  it('is shown by one that something in front of the service kept from being renewed', () => {
    const machine = make({ lease: UNKNOWN })
    untilAsked(machine, 0)
    machine.failed(failed(UNKNOWN, FOREIGN), 0)
    machine.step(LEASE.deadline)
    expect(machine.ending).toEqual({ is: 'lost', cause: 'expired', isUnusable: true })
  })
})
