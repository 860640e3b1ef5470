import type { Boot } from '../../base/boot.ts'
import type { Clock } from '../../base/clock.ts'
import { whatIsAway } from '../../ledger/away.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { HeldClaim, ParkedClaim } from '../../ledger/process.ts'
import type { Lease } from './lease.ts'

type Times = Pick<ParkedClaim, 'margin' | 'boot' | 'sent' | 'end' | 'wall' | 'serverEnd' | 'isUnknown' | 'due'>

interface Timed {
  readonly lease: Lease
  /** Local time at which a clink that waits may be worked. */
  readonly dueAt: number | undefined
}

/** A claim whose clink is worked, as the journal keeps it. */
export function toHeldClaim(
  { dueAt, isAsleep = false, lease, ...rest }: Omit<HeldClaim, keyof Times> & Timed & { readonly isAsleep?: boolean },
  clock: Clock,
  boot: Boot,
): HeldClaim {
  const asleep = dueAt !== undefined && isAsleep ? ({ asleep: true } as const) : {}
  return { ...rest, ...timesOf({ dueAt, lease }, clock, boot), ...asleep }
}

/** The times of any claim, as the journal keeps them. */
export function timesOf({ dueAt, lease }: Timed, clock: Clock, boot: Boot): Times {
  const serverEnd = lease.serverEnd === undefined ? {} : { serverEnd: lease.serverEnd }
  // In this order: a pause between the two readings makes the lease shorter, never longer.
  const uptime = boot.uptime()
  const now = clock.now()
  const end = uptime + (lease.deadline - now)
  const sent = uptime + (lease.firstSent - now)
  const wall = clock.wall() + (lease.deadline - now)
  const isUnknown = lease.basis === 'unknown' ? ({ isUnknown: true } as const) : {}
  const margin = lease.end - lease.deadline
  const times = { margin, boot: boot.id, sent, end, wall, ...serverEnd, ...isUnknown }
  if (dueAt === undefined) return times
  const wait = dueAt - now
  return { ...times, due: { uptime: uptime + wait, wall: clock.wall() + wait } }
}

/**
 * The lease of a claim that an earlier process held, as far as it still stands. Only the uptime of the same boot tells; after
 * another start of the machine nothing is known, and the claim is left to the service. An uptime before that of the claim is of no such
 * boot: in a container it may be the container's own, and the boot the machine's. What is left by the wall clock counts where that is
 * less: a virtual machine that was paused, with nobody there to see its clock jump, shows its pause nowhere else.
 */
export function standingLease(claim: ParkedClaim | HeldClaim, clock: Clock, boot: Boot): Lease | undefined {
  // In this order: a pause between the two looks makes the lease shorter, never longer.
  const now = clock.now()
  const uptime = boot.uptime()
  const left = Math.min(claim.end - uptime, (claim.wall ?? Infinity) - clock.wall())
  if (claim.boot !== boot.id || uptime < claim.sent || ('releasing' in claim && claim.releasing) || left <= 0)
    return undefined
  const firstSent = now - (boot.uptime() - claim.sent)
  const basis = claim.isUnknown === true ? 'unknown' : claim.serverEnd === undefined ? 'assumed' : 'told'
  const deadline = now + left
  const { margin = 0, serverEnd } = claim
  return { firstSent, grantedAt: now, end: deadline + margin, deadline, margin, serverEnd, basis }
}

/** Milliseconds that a clink which an earlier process held is still to wait; 0 or less: none. No clock that was set makes it longer than `longest`. */
export function waitLeft({ boot: of, due }: Times, clock: Clock, boot: Boot, longest: number): number {
  if (due === undefined) return 0
  return Math.min(of === boot.id ? due.uptime - boot.uptime() : due.wall - clock.wall(), longest)
}

/** Why a claim is not given back that the ledger shows as held. */
export function unwritten(ledger: Ledger): string {
  return `${whatIsAway(ledger)}, so that a release could not be noted before it is sent`
}
