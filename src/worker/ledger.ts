import { Recent } from '../base/recent.ts'
import type { Clink } from '../clink/records.ts'

/** A clink that this worker has given up on, kept for the operator. */
export interface DeadLetter {
  readonly clink: Clink
  readonly route: string
  readonly attempts: number
  readonly reason: string
  /** Wall time in milliseconds. */
  readonly at: number
}

/** A completion that Clink has not confirmed. */
export interface KeptResult {
  readonly content: string
  readonly response: string | undefined
  /** Leases that ended while the service failed to take it. */
  readonly leases: number
}

/**
 * What the worker remembers about clinks beyond one delivery. Writes resolve when the fact would survive the worker's end as
 * far as the implementation goes; the heart acts on a fact only after that. Reads are immediate.
 */
export interface Ledger {
  /** Counts a start of a handler and returns its number, from 1. */
  startAttempt(clinkId: string): Promise<number>
  /** Takes the last start back: it was cut short, or must not count. */
  takeBackAttempt(clinkId: string): Promise<void>

  /** A result computed while its lease stood. It is final: sent under a later claim, never computed again. */
  keepResult(clink: Clink, response: string | undefined): Promise<void>
  /** The kept result of this clink, unless the clink has become another one (other content) since. */
  keptResult(clink: Clink): KeptResult | undefined
  /** Notes that another lease ended without the service taking the kept result, and says how many that makes. */
  countFailedLease(clinkId: string): Promise<number>
  /** The clink is settled: attempts and kept result are no longer needed. */
  settled(clinkId: string): Promise<void>

  bury(letter: DeadLetter): Promise<void>
  isGivenUp(clinkId: string): boolean
  /** Leave the clink alone until this wall time. */
  coolUntil(clinkId: string, time: number): Promise<void>
  isCooling(clinkId: string, now: number): boolean

  /** A clink that this worker sent. */
  addOwn(clinkId: string): Promise<void>
  isOwn(clinkId: string): boolean
}

/** Remembers so many clinks of each kind at most; the oldest are forgotten first. */
const CAPACITY = 100_000

/** A ledger that ends with the process. */
export class MemoryLedger implements Ledger {
  readonly #attempts = new Recent<number>(CAPACITY)
  readonly #results = new Recent<KeptResult>(CAPACITY)
  readonly #letters = new Recent<DeadLetter>(CAPACITY)
  readonly #cooling = new Recent<number>(CAPACITY)
  readonly #own = new Recent<true>(CAPACITY)

  async startAttempt(clinkId: string): Promise<number> {
    const attempt = (this.#attempts.get(clinkId) ?? 0) + 1
    this.#attempts.set(clinkId, attempt)
    return attempt
  }

  async takeBackAttempt(clinkId: string): Promise<void> {
    this.#attempts.set(clinkId, Math.max(0, (this.#attempts.get(clinkId) ?? 0) - 1))
  }

  async keepResult(clink: Clink, response: string | undefined): Promise<void> {
    const leases = this.keptResult(clink)?.leases ?? 0
    this.#results.set(clink.clink_id, { content: clink.content, response, leases })
  }

  keptResult(clink: Clink): KeptResult | undefined {
    const result = this.#results.get(clink.clink_id)
    return result?.content === clink.content ? result : undefined
  }

  async countFailedLease(clinkId: string): Promise<number> {
    const result = this.#results.get(clinkId)
    if (result === undefined) return 0
    const leases = result.leases + 1
    this.#results.set(clinkId, { ...result, leases })
    return leases
  }

  async settled(clinkId: string): Promise<void> {
    this.#attempts.delete(clinkId)
    this.#results.delete(clinkId)
  }

  async bury(letter: DeadLetter): Promise<void> {
    this.#letters.set(letter.clink.clink_id, letter)
    await this.settled(letter.clink.clink_id)
  }

  isGivenUp(clinkId: string): boolean {
    return this.#letters.get(clinkId) !== undefined
  }

  async coolUntil(clinkId: string, time: number): Promise<void> {
    this.#cooling.set(clinkId, time)
  }

  isCooling(clinkId: string, now: number): boolean {
    const until = this.#cooling.get(clinkId)
    if (until === undefined) return false
    if (until > now) return true
    this.#cooling.delete(clinkId)
    return false
  }

  async addOwn(clinkId: string): Promise<void> {
    this.#own.set(clinkId, true)
  }

  isOwn(clinkId: string): boolean {
    return this.#own.get(clinkId) !== undefined
  }
}
