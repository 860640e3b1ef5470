import { readMoment } from '../../base/time-text.ts'
import type { Config } from '../../config/config.ts'

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
  /**
   * Local time after which nothing is sent for this claim: `end` minus the margin, or earlier where a renewal that was not answered may
   * have shortened the claim.
   */
  readonly deadline: number
  /** Milliseconds. */
  readonly margin: number
  /** The service's own end of the claim, in milliseconds of its clock; unknown where it does not say. */
  readonly serverEnd: number | undefined
  /** The same for when the claim was made, which some services move with each renewal. */
  readonly serverStart?: number | undefined
  /**
   * What its length rests on. `unknown`: on nothing yet, the claim may only be asked about or given back; `assumed`: the service was asked
   * for a length, took that, and did not tell which it gave; `told`: the service has told.
   */
  readonly basis: 'unknown' | 'assumed' | 'told'
  /** As they were when the claim was made, or taken over from an earlier process. */
  readonly settings?: ClaimSettings
}

export type ClaimSettings = Pick<Config['claim'], 'timeout' | 'trustRenewals'>

/** Who watches over a claim: a keeper that renews it, or somebody who only knows its deadline. */
export interface LeaseHolder {
  readonly lease: Lease
  /** Whether the claim may still be acted on, by the clock as it is now. */
  readonly stands: boolean
  /** Ends renewal and resolves when none is on its way any more, or the lease is gone. */
  stopRenewing(): Promise<void>
}

/** An answer that grants a claim. */
export interface Grant {
  /** Local time when the first attempt of the request was sent. */
  readonly sentAt: number
  /** Milliseconds that were asked for; undefined: the request left it to the service. */
  readonly asked: number | undefined
  /** Local time of the answer; only of a renewal. */
  readonly answeredAt?: number
  readonly claimedAt: string | null | undefined
  readonly expiresAt: string | null | undefined
}

export interface LeasePolicy extends ClaimSettings {
  /** Milliseconds: the longest claim of which the service has told believably so far. */
  readonly longest: number
  /** The service has told of a moment between two seconds, so that a whole second is what it says. */
  readonly tellsFractions: boolean
}

/** Milliseconds that a claim lasts when none are asked for, by the service's documentation. */
export const DOCUMENTED_TIMEOUT = 300_000

const SMALLEST_MARGIN = 250
/** Milliseconds to which the service may round the times that it does not tell. */
const ROUNDED_TO = 1_000
/** Milliseconds by which times that the service rounds may make a claim longer than what was asked for. */
const ROUNDING = 2_000

/** @param earlier milliseconds by which the claim may be older than the request that has told of it. */
export function firstLease(grant: Grant, policy: LeasePolicy, earlier = 0): Lease {
  const times = readTimes(grant, policy)
  const told = believable(times.length, (grant.asked ?? DOCUMENTED_TIMEOUT) + earlier, policy)
  const basis = told === undefined ? 'unknown' : 'told'
  return makeLease(grant.sentAt, grant.sentAt, grant.sentAt + (told ?? assumedLength(grant, policy)), times, basis)
}

/** What a claim is taken to last where nothing tells. */
function assumedLength({ asked }: Grant, { timeout }: LeasePolicy): number {
  return Math.min(asked ?? timeout, timeout, DOCUMENTED_TIMEOUT)
}

/** A length that is longer than what was asked for, and than any before, is none: times that are told in two zones look like that. */
function believable(length: number | undefined, asked: number, { longest }: LeasePolicy): number | undefined {
  if (length === undefined || length <= 0) return undefined
  return length <= asked + ROUNDING || length <= longest ? length : undefined
}

/**
 * The lease of a claim that was made by id. `sentAt` of the grant is a moment before which the claim cannot have been made, for
 * instance when the list was asked for that showed the clink as pending: an earlier request of ours that was not answered may
 * have made it, and this one only renewed it.
 *
 * @param askedAt local time when the claim was sent: its end is not later than what was asked for from then on, and it was a grant,
 * so that a renewal soon after it need not move that end. It has asked for a length itself: to ask again would tell no more.
 */
export function claimedLease(grant: Grant, askedAt: number, policy: LeasePolicy): Lease {
  const lease = firstLease(grant, policy, askedAt - grant.sentAt)
  const bound = askedAt + (grant.asked ?? DOCUMENTED_TIMEOUT)
  const excess = Math.max(0, lease.end - bound)
  const basis = lease.basis === 'unknown' ? 'assumed' : lease.basis
  return { ...lease, grantedAt: askedAt, end: lease.end - excess, deadline: lease.deadline - excess, basis }
}

/** What a later claim of the same clink makes of its lease. It may end earlier than before: what the service said counts. */
export function renewedLease(lease: Lease, grant: Grant, policy: LeasePolicy): Lease {
  const times = readTimes(grant, policy)
  const asked = grant.asked ?? DOCUMENTED_TIMEOUT
  const bound = grant.sentAt + asked
  const sinceFirst = (grant.answeredAt ?? grant.sentAt) - lease.firstSent
  const told = believable(times.length, asked + sinceFirst, policy)
  if (lease.basis === 'unknown' && told === undefined) {
    const from = policy.trustRenewals ? grant.sentAt : lease.firstSent
    return makeLease(lease.firstSent, grant.sentAt, from + assumedLength(grant, policy), times, 'assumed')
  }
  if (times.end === undefined) {
    if (!policy.trustRenewals) return wholeLease(lease)
    const end = grant.sentAt + assumedLength(grant, policy)
    return makeLease(lease.firstSent, grant.sentAt, end, times, lease.basis)
  }
  if (lease.basis !== 'unknown' && times.end === lease.serverEnd) return wholeLease(lease)
  if (lease.basis !== 'unknown' && lease.serverEnd !== undefined) {
    const extended = Math.max(lease.end + (times.end - lease.serverEnd), endOfRestarted(lease, times, told))
    const end = Math.min(bound, extended)
    return makeLease(lease.firstSent, grant.sentAt, end, times, lease.basis)
  }
  // The first time that the service says when the claim ends. Whether its `claimed_at` is that of the first claim or of this
  // one is not known; counted from the first request, the length is right for the one and too short for the other.
  if (told === undefined) return wholeLease(lease)
  return makeLease(lease.firstSent, grant.sentAt, Math.min(bound, lease.firstSent + told), times, 'told')
}

/** Where the start of the claim has moved, it did so after the last answer: its whole length counts at least from that one's request. */
function endOfRestarted({ grantedAt, serverStart = Infinity }: Lease, { start }: Times, told = -Infinity): number {
  return (start ?? -Infinity) > serverStart ? grantedAt + told : -Infinity
}

/**
 * What is left of a lease as long as a renewal is not answered. It moves the end to what it asks for, also to an earlier one: a poll may
 * have claimed for longer. What an answer makes of the lease goes by the whole one.
 */
export function shortenedLease(lease: Lease, sentAt: number, asked = DOCUMENTED_TIMEOUT): Lease {
  const end = sentAt + asked
  const deadline = end - marginOf(asked, ROUNDED_TO)
  return end < lease.end && deadline < lease.deadline ? { ...lease, deadline } : lease
}

/** The lease as it was before renewals that were not answered: an answer has shown that they moved nothing. */
function wholeLease(lease: Lease): Lease {
  const deadline = lease.end - lease.margin
  return deadline === lease.deadline ? lease : { ...lease, deadline }
}

/**
 * True when a renewal that was answered has extended nothing although enough time had passed to see it. An end that the
 * service moved, even to an earlier time (because a shorter claim was asked for), is an extension that took effect.
 */
export function extendedNothing(before: Lease, after: Lease, { sentAt, asked }: Grant): boolean {
  if (after.end > before.end) return false
  if (after.serverEnd !== before.serverEnd) return false
  // What was asked for may just have ended when the claim would have ended anyway, to the second.
  if (Math.abs(sentAt + (asked ?? DOCUMENTED_TIMEOUT) - before.end) < 2_000) return false
  return sentAt - before.grantedAt >= Math.max(2_000, (before.end - before.grantedAt) / 4)
}

/** True when a claim that the service has made after the one we know ends earlier. A list from before the last renewal shows no such one. */
export function shortensAnew({ deadline, serverStart = Infinity }: Lease, anew: Lease): boolean {
  return anew.basis === 'told' && (anew.serverStart ?? -Infinity) > serverStart && anew.deadline < deadline
}

/** True when an answer has shown nothing that was not known. */
export function isUnmoved(before: Lease, after: Lease): boolean {
  return after.end === before.end && after.serverEnd === before.serverEnd && after.basis === before.basis
}

/**
 * True when the first renewal of a claim of unknown length has not moved the end that the service shows, to the millisecond. A whole second may be
 * rounded, however it is written, and hides a renewal within that second.
 */
export function showsNoChange(before: Lease, after: Lease, { expiresAt }: Grant): boolean {
  const isSame = before.serverEnd !== undefined && after.serverEnd === before.serverEnd
  const moment = readMoment(expiresAt)
  return isSame && after.basis === 'assumed' && moment?.grain === 1 && isFraction(moment)
}

interface Times {
  readonly start: number | undefined
  readonly end: number | undefined
  readonly length: number | undefined
  /** Milliseconds by which each of them may be off. */
  readonly grain: number
}

/** True when one of its times lies between two seconds. */
export function tellsFraction({ claimedAt, expiresAt }: Pick<Grant, 'claimedAt' | 'expiresAt'>): boolean {
  return isFraction(readMoment(claimedAt)) || isFraction(readMoment(expiresAt))
}

function isFraction(moment: ReturnType<typeof readMoment>): boolean {
  return (moment?.at ?? 0) % ROUNDED_TO !== 0
}

function readTimes({ claimedAt, expiresAt }: Grant, { tellsFractions }: LeasePolicy): Times {
  const start = readMoment(claimedAt)
  const end = readMoment(expiresAt)
  const length = start === undefined || end === undefined ? undefined : end.at - start.at
  // Zeros in the place of a fraction say no more than none, unless the service has told of one: it may round what it writes so.
  const mayBeRounded = end !== undefined && !tellsFractions && !isFraction(start) && !isFraction(end)
  const grain = Math.max(start?.grain ?? 0, end?.grain ?? 0, mayBeRounded ? ROUNDED_TO : 0)
  return { start: start?.at, end: end?.at, length, grain: grain > 1 ? grain : 0 }
}

function makeLease(firstSent: number, grantedAt: number, end: number, times: Times, basis: Lease['basis']): Lease {
  const margin = marginOf(end - grantedAt, times.grain)
  const { end: serverEnd, start: serverStart } = times
  return { firstSent, grantedAt, end, deadline: end - margin, margin, serverEnd, serverStart, basis }
}

function marginOf(length: number, grain: number): number {
  return Math.max(length / 10, SMALLEST_MARGIN) + grain
}
