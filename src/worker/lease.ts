import { readMoment } from '../base/time-text.ts'

/**
 * A lease is what the worker may trust of a claim: a local deadline, computed so that it never lies behind the end of the
 * claim at the service, whatever the two clocks say. No time of the service is compared with a local one; only differences
 * between times of the service are used.
 */
export interface Lease {
  /** Local time when the request that first granted the claim was sent. */
  readonly firstSent: number
  /** Local time when the request of the last grant was sent. */
  readonly grantedAt: number
  /** Local time until which the claim certainly stands. */
  readonly end: number
  /** Local time after which nothing is sent for this claim: `end` minus the margin. */
  readonly deadline: number
  /** The service's own end of the claim, in milliseconds of its clock; unknown where it does not say. */
  readonly serverEnd: number | undefined
}

/** Who watches over a claim: a keeper that renews it, or somebody who only knows its deadline. */
export interface LeaseHolder {
  readonly lease: Lease
  /** Whether the claim may still be acted on, by the clock as it is now. */
  readonly stands: boolean
  /** Ends renewal and resolves when none is on its way any more, or the lease is gone. */
  quiet(): Promise<void>
}

/** An answer that grants a claim. */
export interface Grant {
  /** Local time when the first attempt of the request was sent. */
  readonly sentAt: number
  /** Milliseconds that were asked for; undefined: the request left it to the service. */
  readonly asked: number | undefined
  readonly claimedAt: string | null | undefined
  readonly expiresAt: string | null | undefined
}

export interface LeasePolicy {
  /** Milliseconds that a claim is taken to last where nothing tells: the smaller of `claim.timeout` and this. */
  readonly timeout: number
  /** The operator's word that a renewal extends although its answer shows no times. */
  readonly trustRenewals: boolean
}

/** Milliseconds that a claim lasts when none are asked for, by the service's documentation. */
const DOCUMENTED_TIMEOUT = 300_000

const SMALLEST_MARGIN = 250

export function firstLease(grant: Grant, policy: LeasePolicy): Lease {
  const times = readTimes(grant)
  const length = times.length ?? Math.min(grant.asked ?? policy.timeout, policy.timeout, DOCUMENTED_TIMEOUT)
  return makeLease(grant.sentAt, grant.sentAt, grant.sentAt + length, times)
}

/**
 * The lease of a claim that was made by id. `sentAt` of the grant is a moment before which the claim cannot have been made, for
 * instance when the list was asked for that showed the clink as pending: an earlier request of ours that was not answered may
 * have made it, and this one only renewed it.
 *
 * @param askedAt local time when the claim was sent: its end is not later than what was asked for from then on, and it was a grant,
 * so that a renewal soon after it need not move that end.
 */
export function claimedLease(grant: Grant, askedAt: number, policy: LeasePolicy): Lease {
  const lease = firstLease(grant, policy)
  const bound = askedAt + (grant.asked ?? DOCUMENTED_TIMEOUT)
  const excess = Math.max(0, lease.end - bound)
  return { ...lease, grantedAt: askedAt, end: lease.end - excess, deadline: lease.deadline - excess }
}

/** What a later claim of the same clink makes of its lease. It may end earlier than before: what the service said counts. */
export function renewedLease(lease: Lease, grant: Grant, policy: LeasePolicy): Lease {
  const times = readTimes(grant)
  const asked = grant.asked ?? DOCUMENTED_TIMEOUT
  const bound = grant.sentAt + asked
  if (times.end === undefined) {
    if (!policy.trustRenewals) return lease
    const length = Math.min(asked, policy.timeout, DOCUMENTED_TIMEOUT)
    return makeLease(lease.firstSent, grant.sentAt, grant.sentAt + length, times)
  }
  if (times.end === lease.serverEnd) return lease
  if (lease.serverEnd !== undefined) {
    return makeLease(lease.firstSent, grant.sentAt, Math.min(bound, lease.end + (times.end - lease.serverEnd)), times)
  }
  // The first time that the service says when the claim ends. Whether its `claimed_at` is that of the first claim or of this
  // one is not known; counted from the first request, the length is right for the one and too short for the other.
  if (times.length === undefined) return lease
  return makeLease(lease.firstSent, grant.sentAt, Math.min(bound, lease.firstSent + times.length), times)
}

/**
 * True when a renewal that was answered has extended nothing although enough time had passed to see it. An end that the
 * service moved, even to an earlier time (because a shorter claim was asked for), is an extension that took effect.
 */
export function extendedNothing(before: Lease, after: Lease, { sentAt, asked }: Grant): boolean {
  if (after.deadline > before.deadline) return false
  if (after.serverEnd !== before.serverEnd) return false
  // What was asked for may just have ended when the claim would have ended anyway, to the second.
  if (Math.abs(sentAt + (asked ?? DOCUMENTED_TIMEOUT) - before.end) < 2_000) return false
  return sentAt - before.grantedAt >= Math.max(2_000, (before.end - before.grantedAt) / 4)
}

interface Times {
  readonly end: number | undefined
  readonly length: number | undefined
  /** Milliseconds by which each of them may be off. */
  readonly grain: number
}

function readTimes({ claimedAt, expiresAt }: Grant): Times {
  const start = readMoment(claimedAt)
  const end = readMoment(expiresAt)
  const length = start === undefined || end === undefined ? undefined : Math.max(0, end.at - start.at)
  const grain = Math.max(start?.grain ?? 0, end?.grain ?? 0)
  return { end: end?.at, length, grain: grain > 1 ? grain : 0 }
}

function makeLease(firstSent: number, grantedAt: number, end: number, times: Times): Lease {
  const margin = Math.max((end - grantedAt) / 10, SMALLEST_MARGIN) + times.grain
  return { firstSent, grantedAt, end, deadline: end - margin, serverEnd: times.end }
}
