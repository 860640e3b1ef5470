import { sleep, type Clock } from '../../base/clock.ts'
import { equalJitter, waitAsAsked } from '../../base/backoff.ts'
import type { ClinkApiError } from '../../clink/errors.ts'
import type { Clink } from '../../clink/records.ts'
import { isRateLimited } from '../../clink/verdicts.ts'
import type { DeliveryFacts } from '../../events.ts'
import type { Route } from '../../handlers/route.ts'
import type { ClinkApi } from '../../clink/clink-api.ts'
import { unwritten } from '../claim/journalled-claim.ts'
import type { Lease, LeaseHolder } from '../claim/lease.ts'
import type { SettlementContext } from './context.ts'

/** A claim that is to be settled: its clink, who watches over its lease, and what is said of it in events. */
export interface Claimed {
  readonly clink: Clink
  /** Asks with the key that claimed it. */
  readonly api: ClinkApi
  readonly holder: LeaseHolder
  readonly facts: DeliveryFacts
  /** Whether its route signs its answers. */
  readonly mark?: Route['mark']
  /** No poll of ours can claim the clink again while it is being released: the worker stops. */
  readonly isLast?: boolean
  /** Clink has the result, and the journal is about to forget it: from then on nothing about the claim may be noted there. */
  confirmed?(): void
  /** Clink has failed to take the result for so many milliseconds: as long as a claim lasts, though the claim stands. True: it is given up. */
  failing?(ms: number): Promise<boolean>
  /** A try begins, or the wait for one, which will be over within so many milliseconds. */
  trying?(within: number): void
}

const PAUSE = { base: 250, max: 10_000 }
/** The most requests of a try: one, and a look at what became of it. */
const REQUESTS = 5

/** Milliseconds until it is looked again whether a fleet knows of a clink. */
const TELLING = 50

/**
 * Whoever gets a clink that is left alone here has to know why, so its fleet is told first, as far as the lease and a stop leave time for that.
 *
 * @returns why it cannot be told; undefined: it knows.
 */
export async function whyUntold({ clink, holder }: Claimed, context: SettlementContext): Promise<string | undefined> {
  const { clock, closing, ledger } = context
  const isUntold = (): boolean => !ledger.isTold(clink.clink_id)
  while (isUntold() && ledger.isHealthy && holder.stands && !closing.aborted) await sleep(clock, TELLING, closing)
  return isUntold() && !ledger.isHealthy ? unwritten(ledger) : undefined
}

/** Whether another try may begin: a request about the claim, and what may follow from its answer. */
export function mayTry(claimed: Claimed, { closing, settings }: SettlementContext): boolean {
  if (!claimed.holder.stands || closing.aborted) return false
  claimed.trying?.(REQUESTS * settings.current.clink.timeout)
  return true
}

/** The limits of one request about the claim. */
export function limits({ holder }: Claimed, { closing }: SettlementContext) {
  return { deadline: holder.lease.deadline, attempts: 1, signal: closing, isWanted: () => holder.stands }
}

/**
 * Says that try number `tries` failed and waits before the next, within the lease. A stop ends the wait, but for what the service asked for of it:
 * there may be no other time in which the clink can be settled.
 */
export async function pauseAfter(
  error: ClinkApiError,
  tries: number,
  kind: 'complete' | 'release',
  claimed: Claimed,
  { rateLimit, clock, closing, emit, outages, random, signals, stopping }: SettlementContext,
): Promise<void> {
  const now = clock.now()
  const left = Math.max(0, claimed.holder.lease.deadline - now)
  const wait = Math.min(left, waitAsAsked(equalJitter(tries, PAUSE, random), error.retryAfter))
  const asked = Math.min(wait, error.retryAfter ?? 0)
  if (isRateLimited(error)) rateLimit.refused(wait)
  emit({ event: 'clink.settlementFailed', ...claimed.facts, kind, error, wait, failures: outages.settlements.failed() })
  signals.settlementFailed.say(claimed.clink, error)
  claimed.trying?.(wait)
  const ends = stopping.aborted ? closing : stopping
  await sleep(clock, asked, closing)
  await sleep(clock, wait - asked, ends)
}

/** Clink has taken what it was told. */
export function sayTaken({ emit, outages }: SettlementContext): void {
  const outage = outages.settlements.ended()
  if (outage !== undefined) emit({ event: 'settlements.recovered', ...outage })
}

/** An outage that is shorter, in milliseconds, costs no result, however short claims are. */
export const LEAST_FAILING = 120_000

/** How long the service has failed to take a result without a break, in lengths of its claim. */
export class FailingSpell {
  readonly #clock: Clock
  /** Milliseconds: the longest that the claim has had since. */
  #length: number
  #since: number | undefined

  constructor(clock: Clock, length: number) {
    this.#clock = clock
    this.#length = length
  }

  /** Milliseconds for which it has failed without a break since that was last as long as a claim. */
  get lasts(): number {
    return this.#since === undefined ? 0 : this.#clock.now() - this.#since
  }

  /** @returns each time that it has failed for as long as the claim lasts, for how many milliseconds that was; otherwise undefined. */
  note(isFailing: boolean, { end, grantedAt }: Lease): number | undefined {
    this.#length = Math.max(this.#length, end - grantedAt)
    this.#since = isFailing ? (this.#since ?? this.#clock.now()) : undefined
    const { lasts } = this
    if (lasts < this.#length) return undefined
    this.#since = undefined
    return lasts
  }
}
