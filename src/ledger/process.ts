import type { Fleet } from './fleet.ts'
import type { Progress } from './progress.ts'
import { Programs } from './programs.ts'
import type { HeldClaim, ParkedClaim } from './remembered.ts'
import type { LedgerTables } from './tables.ts'

export type { HeldClaim, ParkedClaim } from './remembered.ts'

/** The fact that holds what is known of siblings. */
export const SIBLINGS = 'siblings'
const AFTERMATH = 'aftermath'

type EndedAlone = Pick<HeldClaim, 'clink' | 'route'>

/**
 * What concerns this process and whoever follows it in its state directory, and no other worker: the claims that it has in hand, the
 * programs that it has started, and facts about itself (its session, identity and key, how it ended, what it has found out about siblings).
 */
export class ProcessLedger {
  readonly programs: Programs
  readonly #tables: Pick<LedgerTables, 'claims' | 'parked' | 'programs' | 'facts'>
  readonly #progress: Progress
  readonly #fleet: Pick<Fleet, 'siblings'> | undefined

  constructor(
    tables: Pick<LedgerTables, 'claims' | 'parked' | 'programs' | 'facts'>,
    progress: Progress,
    fleet?: Pick<Fleet, 'siblings'>,
  ) {
    this.#tables = tables
    this.#progress = progress
    this.#fleet = fleet
    this.programs = new Programs(tables.programs)
  }

  claims(): readonly HeldClaim[] {
    return [...this.#tables.claims.entries()].map(([, { claim }]) => claim)
  }

  /** The claim as it is now: just made, renewed, backing off, being released, or lost while its code runs. */
  hold(claim: HeldClaim): Promise<void> {
    return this.#progress.hold(claim)
  }

  /** The claim has ended. What has come of its clink so far stays, unless that was settled before. */
  drop(clinkId: string): Promise<void> {
    return this.#progress.release(clinkId)
  }

  /** Code that has outlived its claim has ended. A later claim on the same clink stays. */
  async codeEnded(clinkId: string): Promise<void> {
    if (this.#tables.claims.get(clinkId)?.claim.releasing === true) await this.drop(clinkId)
  }

  /** Claims on clinks that are not run now. */
  parked(): readonly ParkedClaim[] {
    return [...this.#tables.parked.entries()].map(([, claim]) => claim)
  }

  /** The claim as it is now. */
  park(claim: ParkedClaim): Promise<void> {
    return this.#tables.parked.set(claim.clink.clink_id, claim)
  }

  /** The claim has ended, is about to be given back, or its clink is worked. */
  unpark(clinkId: string): Promise<void> {
    return this.#tables.parked.delete(clinkId)
  }

  fact(name: string): string | undefined {
    return this.#tables.facts.get(name)
  }

  /** Notes facts by their names, all in one commit. */
  async note(facts: Readonly<Record<string, string>>): Promise<void> {
    const { facts: table } = this.#tables
    await Promise.all(Object.entries(facts).map(async ([name, value]) => await table.set(name, value)))
  }

  /** What ran alone and has ended a moment ago: what it has left behind may end the process. */
  get aftermath(): EndedAlone | undefined {
    const text = this.fact(AFTERMATH)
    // Noted below and by nobody else.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return text === undefined || text === '' ? undefined : (JSON.parse(text) as EndedAlone)
  }

  async noteAftermath(ended: EndedAlone): Promise<void> {
    await this.note({ [AFTERMATH]: JSON.stringify(ended) })
  }

  /** The clink is given up: that is enough, whatever it has left behind and whoever wants it run again. */
  async gaveUp(clinkId: string): Promise<void> {
    if (this.aftermath?.clink.clink_id === clinkId) await this.note({ [AFTERMATH]: '' })
  }

  /** A fact about the service at this address; what is kept of another one is none. */
  serviceFact(url: string, name: string): string | undefined {
    const fact = this.fact(name)
    return fact?.startsWith(`${url} `) === true ? fact.slice(url.length + 1) : undefined
  }

  async noteServiceFact(url: string, name: string, value: string): Promise<void> {
    await this.note({ [name]: `${url} ${value}` })
  }
  /** What the service at this address does with a claim on a sibling's clink, as it was found out here or by another member of the fleet. */
  siblings(url: string): 'refused' | 'granted' | undefined {
    const known = [this.serviceFact(url, SIBLINGS), this.#fleet?.siblings(url)]
    return (['granted', 'refused'] as const).find((verdict) => known.includes(verdict))
  }
}
