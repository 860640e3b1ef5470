import type { Clink } from '../clink/records.ts'
import { Programs, type Program } from './programs.ts'
import type { Table } from './table.ts'

/** A claim in hand, so that the next start can hold on to it. */
export interface HeldClaim {
  readonly clink: Clink
  readonly route: string
  /** True while code runs for it, be it that of an earlier claim: code may end the process. */
  readonly running: boolean
  /** True once a release was to be sent, or the claim was lost: it may be another's by now. */
  readonly releasing: boolean
  /** Which key made it, by its fingerprint. */
  readonly key?: string
  /** The boot whose uptime `sent` and `end` are told in: when the request that first granted the claim was sent, and the end of its lease. */
  readonly boot: string
  readonly sent: number
  readonly end: number
  /** Milliseconds by which the claim itself ends later than its lease. A renewal moves the end of the claim. */
  readonly margin?: number
  /** The wall time of that end, in milliseconds. */
  readonly wall?: number
  /** The service's own end of the claim, in milliseconds of its clock. */
  readonly serverEnd?: number
  /** The length of the claim was not known yet: `end` is a guess, and until then the worker may ask about the claim. */
  readonly isUnknown?: true
  /** Of a clink that is held: the boot's uptime, and the wall time, at which it is to run. */
  readonly due?: { readonly uptime: number; readonly wall: number }
}

export interface ProcessTables {
  readonly claims: Table<HeldClaim>
  readonly programs: Table<Program>
  /** Facts about the worker itself. */
  readonly facts: Table<string>
}

/**
 * What concerns this process and whoever follows it in its state directory, and no other worker: the claims that it has in hand, the
 * programs that it has started, and facts about itself (its session, identity and key, how it ended, what it has found out about siblings).
 */
export class ProcessLedger {
  readonly programs: Programs
  readonly #tables: ProcessTables

  constructor(tables: ProcessTables) {
    this.#tables = tables
    this.programs = new Programs(tables.programs)
  }

  claims(): readonly HeldClaim[] {
    return [...this.#tables.claims.entries()].map(([, claim]) => claim)
  }

  /** The claim as it is now: just made, renewed, backing off, being released, or lost while its code runs. */
  async hold(claim: HeldClaim): Promise<void> {
    await this.#tables.claims.set(claim.clink.clink_id, claim)
  }

  /** The claim has ended. */
  async drop(clinkId: string): Promise<void> {
    await this.#tables.claims.delete(clinkId)
  }

  /** Code that has outlived its claim has ended. A later claim on the same clink stays. */
  async codeEnded(clinkId: string): Promise<void> {
    if (this.#tables.claims.get(clinkId)?.releasing === true) await this.drop(clinkId)
  }

  fact(name: string): string | undefined {
    return this.#tables.facts.get(name)
  }

  /** Notes facts by their names, all in one commit. */
  async note(facts: Readonly<Record<string, string>>): Promise<void> {
    const { facts: table } = this.#tables
    await Promise.all(Object.entries(facts).map(async ([name, value]) => await table.set(name, value)))
  }

  /** A fact about the service at this address; what is kept of another one is none. */
  serviceFact(url: string, name: string): string | undefined {
    const fact = this.fact(name)
    return fact?.startsWith(`${url} `) === true ? fact.slice(url.length + 1) : undefined
  }

  async noteServiceFact(url: string, name: string, value: string): Promise<void> {
    await this.note({ [name]: `${url} ${value}` })
  }
}
