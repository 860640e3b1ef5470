import type { Boot } from '../base/boot.ts'
import type { Clock } from '../base/clock.ts'
import type { Clink } from '../clink/records.ts'
import type { HeldClaim } from '../ledger/ledger.ts'
import type { Lease } from './lease.ts'

/** A claim as the journal keeps it. */
export function toHeldClaim(
  claim: {
    readonly clink: Clink
    readonly route: string
    readonly running: boolean
    readonly releasing: boolean
    readonly key?: string
    readonly lease: Lease
    /** Local time at which a held clink is to run. */
    readonly dueAt: number | undefined
  },
  clock: Clock,
  boot: Boot,
): HeldClaim {
  const { lease, dueAt, ...rest } = claim
  const serverEnd = lease.serverEnd === undefined ? {} : { serverEnd: lease.serverEnd }
  const end = boot.uptime() + (lease.deadline - clock.now())
  const sent = boot.uptime() + (lease.firstSent - clock.now())
  const held = { ...rest, boot: boot.id, sent, end, ...serverEnd }
  if (dueAt === undefined) return held
  const wait = dueAt - clock.now()
  return { ...held, due: { uptime: boot.uptime() + wait, wall: clock.wall() + wait } }
}

/**
 * The lease of a claim that an earlier process held, as far as it still stands. Only the uptime of the same boot tells; after
 * another start of the machine nothing is known, and the claim is left to the service.
 */
export function standingLease(claim: HeldClaim, clock: Clock, boot: Boot): Lease | undefined {
  // In this order: a pause between the two looks makes the lease shorter, never longer.
  const now = clock.now()
  const left = claim.end - boot.uptime()
  if (claim.boot !== boot.id || claim.releasing || left <= 0) return undefined
  const firstSent = now - (boot.uptime() - claim.sent)
  // What was kept is the deadline, so the margin is already off; the end is not needed to be later.
  return { firstSent, grantedAt: now, end: now + left, deadline: now + left, serverEnd: claim.serverEnd }
}

/** Milliseconds that a clink which an earlier process held is still to wait; 0 or less: none. */
export function waitLeft({ boot: of, due }: HeldClaim, clock: Clock, boot: Boot): number {
  if (due === undefined) return 0
  return of === boot.id ? due.uptime - boot.uptime() : due.wall - clock.wall()
}
