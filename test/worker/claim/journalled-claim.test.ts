import { describe, expect, it } from 'vitest'
import type { Boot } from '../../../src/base/boot.ts'
import type { Clock } from '../../../src/base/clock.ts'
import { firstLease, renewedLease } from '../../../src/worker/claim/lease.ts'
import { standingLease, toHeldClaim, unwritten, waitLeft } from '../../../src/worker/claim/journalled-claim.ts'
import type { Ledger } from '../../../src/ledger/ledger.ts'
import type { Lease } from '../../../src/worker/claim/lease.ts'
import { clink } from '../../support/sample-records.ts'

/** One machine. Its processes have clocks that begin anywhere, and see the same uptime. */
class Machine {
  boot = 'boot-1'
  uptime = 50_000
  /** The wall clock when the machine was started. */
  wall = 1_700_000_000_000
  /** What every look at a clock takes. */
  slowness = 0

  process(start: number): { clock: Clock; boot: Boot } {
    const began = this.uptime
    const clock: Clock = {
      now: () => start + (this.#look() - began),
      wall: () => this.wall + this.#look(),
      at: () => () => {},
    }
    return { clock, boot: { id: this.boot, uptime: () => this.#look() } }
  }

  #look(): number {
    const uptime = this.uptime
    this.uptime += this.slowness
    return uptime
  }
}

const LENGTH = 60_000

/** A claim that a process made and journalled, and the uptime after which its lease must not be used. */
function journalled(machine: Machine, changes: { releasing?: boolean } = {}) {
  const { clock, boot } = machine.process(1_000)
  const sentUp = machine.uptime
  const sentAt = clock.now()
  const grant = { sentAt, asked: LENGTH, claimedAt: '2026-01-01T00:00:00.0Z', expiresAt: '2026-01-01T00:01:00.0Z' }
  const lease = firstLease(grant, { timeout: LENGTH, trustRenewals: false, longest: 0, tellsFractions: false })
  const claim = { clink, route: 'work', running: true, releasing: false, lease, dueAt: undefined, ...changes }
  return { held: toHeldClaim(claim, clock, boot), lease, last: sentUp + (lease.deadline - sentAt) }
}

it('holds on to a lease of the same boot that has time left, with the time that is left', () => {
  const machine = new Machine()
  const { held, lease } = journalled(machine)
  machine.uptime += 20_000
  const { clock, boot } = machine.process(7_000_000)
  const standing = standingLease(held, clock, boot)
  expect(standing?.deadline).toBe(clock.now() + (lease.deadline - 1_000) - 20_000)
  expect(standing?.end).toBeGreaterThanOrEqual(standing?.deadline ?? Infinity)
  expect(standing?.serverEnd).toBe(Date.parse('2026-01-01T00:01:00.0Z'))
})

it.each([
  [-1, true],
  [0, false],
  [1, false],
  [LENGTH, false],
])('of a lease that ends now, %d ms later: stands %s', (later, stands) => {
  const machine = new Machine()
  const { held, last } = journalled(machine)
  machine.uptime = last + later
  const { clock, boot } = machine.process(0)
  expect(standingLease(held, clock, boot) !== undefined).toBe(stands)
})

it('takes up nothing of another boot, however much time seems left', () => {
  const machine = new Machine()
  const { held } = journalled(machine)
  machine.boot = 'boot-2'
  const { clock, boot } = machine.process(0)
  expect(standingLease(held, clock, boot)).toBeUndefined()
})

it('takes up nothing whose claim is of a later uptime than there is: a container that was started again shows its own (P2, P9)', () => {
  const machine = new Machine()
  const { held } = journalled(machine)
  machine.uptime = 10
  machine.wall += 1_000
  const { clock, boot } = machine.process(0)
  expect(standingLease(held, clock, boot)).toBeUndefined()
})

it.each([
  [20_000, 20_000],
  [LENGTH, undefined],
  // Set back, it tells nothing.
  [-3_600_000, 0],
])('a machine that was paused while no process ran has %d ms less left of a lease (P2, P9)', (jump, less) => {
  const machine = new Machine()
  const { held, lease } = journalled(machine)
  machine.wall += jump
  const { clock, boot } = machine.process(0)
  const left = standingLease(held, clock, boot)?.deadline
  expect(left).toBe(less === undefined ? undefined : lease.deadline - 1_000 - less)
})

it('a claim that says no wall time goes by its uptime alone', () => {
  const machine = new Machine()
  const { held, lease } = journalled(machine)
  const { wall: _, ...older } = held
  const { clock, boot } = machine.process(0)
  expect(standingLease(older, clock, boot)?.deadline).toBe(lease.deadline - 1_000)
})

it('takes up nothing that was being released', () => {
  const machine = new Machine()
  const { held } = journalled(machine, { releasing: true })
  const { clock, boot } = machine.process(0)
  expect(standingLease(held, clock, boot)).toBeUndefined()
})

it('is never trusted for longer than what was journalled, even when the processes are paused between two looks', () => {
  const late: string[] = []
  for (const atWrite of [0, 3_000]) {
    for (const atStart of [0, 3_000]) {
      const machine = new Machine()
      machine.slowness = atWrite
      const { held, last } = journalled(machine)
      machine.slowness = 0
      const { clock, boot } = machine.process(9_000)
      const ahead = clock.now() - machine.uptime
      machine.slowness = atStart
      const standing = standingLease(held, clock, boot)
      const end = (standing?.deadline ?? Infinity) - ahead
      if (end > last) late.push(`paused ${atWrite} at the write, ${atStart} at the start: ${end - last} ms too long`)
    }
  }
  expect(late).toEqual([])
})

it('journals no end of the service where the service says none', () => {
  const { clock, boot } = new Machine().process(0)
  const lease = {
    firstSent: 0,
    grantedAt: 0,
    end: 100,
    deadline: 90,
    margin: 10,
    serverEnd: undefined,
    basis: 'assumed' as const,
  }
  const held = toHeldClaim(
    { clink, route: 'work', running: false, releasing: false, lease, dueAt: undefined },
    clock,
    boot,
  )
  expect(Object.keys(held)).not.toContain('serverEnd')
  expect(standingLease(held, clock, boot)?.serverEnd).toBeUndefined()
})

it.each([0, 3_000])(
  'whose end the service had not told is not made longer by a renewal that only tells it (P2, P9, §2; paused %d ms)',
  (slowness) => {
    const machine = new Machine()
    const policy = { timeout: LENGTH, trustRenewals: false, longest: 0, tellsFractions: false }
    const { clock, boot } = machine.process(1_000)
    const claimEnd = machine.uptime + LENGTH
    const untold = { sentAt: clock.now(), asked: undefined, claimedAt: undefined, expiresAt: undefined }
    machine.slowness = slowness
    const claim = { clink, route: 'work', running: true, releasing: false, lease: firstLease(untold, policy) }
    const held = toHeldClaim({ ...claim, dueAt: undefined }, clock, boot)
    machine.uptime += 20_000
    const next = machine.process(7_000_000)
    const standing = standingLease(held, next.clock, next.boot)
    machine.slowness = 0
    expect(standing).toBeDefined()
    if (standing === undefined) return

    const sentAt = next.clock.now()
    const told = { claimedAt: '2026-01-01T00:00:00.0Z', expiresAt: '2026-01-01T00:01:00.0Z' }
    const renewed = renewedLease(standing, { sentAt, asked: LENGTH, ...told }, policy)
    expect(renewed.end - sentAt).toBeLessThanOrEqual(claimEnd - machine.uptime)
    expect(renewed.end - sentAt).toBeGreaterThan(claimEnd - machine.uptime - 5 * slowness - 1)
  },
)

const LEASE: Lease = {
  firstSent: 900,
  grantedAt: 1_000,
  end: 61_000,
  deadline: 55_000,
  margin: 6_000,
  serverEnd: 7,
  basis: 'told',
}
const claimed = { clink, route: 'work', running: true, releasing: false, key: 'key-1', dueAt: undefined }

describe('a claim in the journal', () => {
  it('says until when it may be trusted by the uptime of its boot and by the wall clock', () => {
    const { clock, boot } = new Machine().process(1_000)
    expect(toHeldClaim({ ...claimed, lease: LEASE }, clock, boot)).toStrictEqual({
      clink,
      route: 'work',
      running: true,
      releasing: false,
      key: 'key-1',
      boot: 'boot-1',
      sent: 49_900,
      end: 104_000,
      wall: 1_700_000_104_000,
      margin: 6_000,
      serverEnd: 7,
    })
  })

  it.each(['told', 'assumed', 'unknown'] as const)('is held again as one whose length is %s', (basis) => {
    const { clock, boot } = new Machine().process(1_000)
    const lease = { ...LEASE, basis, serverEnd: basis === 'told' ? 7 : undefined }
    const held = toHeldClaim({ ...claimed, lease }, clock, boot)
    expect(standingLease(held, clock, boot)).toEqual(lease)
  })

  it('of an early version, which noted no margin, has none', () => {
    const { clock, boot } = new Machine().process(1_000)
    const { margin: _, ...early } = toHeldClaim({ ...claimed, lease: LEASE }, clock, boot)
    expect(standingLease(early, clock, boot)).toMatchObject({ margin: 0, end: 55_000, deadline: 55_000 })
  })
})

describe('the wait of a clink that an earlier process held', () => {
  const machine = new Machine()
  const { clock, boot } = machine.process(1_000)
  const waiting = toHeldClaim({ ...claimed, lease: LEASE, dueAt: 31_000 }, clock, boot)

  it('is noted by both clocks', () => {
    expect(waiting.due).toEqual({ uptime: 80_000, wall: 1_700_000_080_000 })
  })

  it('is a sleep where the handler wanted it to be one, and only while it lasts', () => {
    const notedOf = (handle: { dueAt: number | undefined; isAsleep?: boolean }): unknown =>
      toHeldClaim({ ...claimed, lease: LEASE, ...handle }, clock, boot).asleep
    expect(notedOf({ dueAt: 31_000, isAsleep: true })).toBe(true)
    expect(notedOf({ dueAt: 31_000, isAsleep: false })).toBeUndefined()
    expect(notedOf({ dueAt: 31_000 })).toBeUndefined()
    expect(notedOf({ dueAt: undefined, isAsleep: true })).toBeUndefined()
  })

  it('is what is left of it: by the uptime of the same boot, and by the wall clock after another', () => {
    const later = new Machine()
    later.uptime += 10_000
    later.wall += 5_000
    const next = later.process(0)
    expect(waitLeft(waiting, next.clock, next.boot, 60_000)).toBe(20_000)
    expect(waitLeft(waiting, next.clock, { ...next.boot, id: 'boot-2' }, 60_000)).toBe(15_000)
  })

  it('is never longer than it may be, whoever has set a clock, and none where it did not wait', () => {
    expect(waitLeft(waiting, clock, boot, 12_000)).toBe(12_000)
    expect(waitLeft(toHeldClaim({ ...claimed, lease: LEASE }, clock, boot), clock, boot, 12_000)).toBe(0)
  })
})

it('why a claim is not given back names what cannot be written', () => {
  const why = (isKept: boolean): string => unwritten({ isKept: () => isKept } as unknown as Ledger)
  expect([why(false), why(true)]).toEqual([
    'the journal cannot be written, so that a release could not be noted before it is sent',
    'the shared store is away, so that a release could not be noted before it is sent',
  ])
})
