import { Present } from '../base/present.ts'
import type { Fleet } from './fleet.ts'
import type { Kept, Memory } from './memory.ts'
import { NONE, type Attempts, type HeldClaim, type KeptResult } from './remembered.ts'
import { DONE, together } from './table.ts'
import type { LedgerTables } from './tables.ts'

/** What a fleet is told and asked of one clink. */
type TellsFleet = Pick<Fleet, 'of' | 'outdated' | 'changed' | 'outlives' | 'over' | 'begun'>

/**
 * What has come of a clink so far: the starts of its handler, and a result that Clink was not told. While a clink is in hand, both are in
 * the row of its claim, so that a start, a result and the end are one write each. What has to outlive the claim gets a row of its own in
 * the commit that ends the claim.
 *
 * A fleet has no claims of ours: it is told of attempts and results after the claim's row is written, and has a row of its own for them.
 */
export class Progress {
  readonly #tables: Pick<LedgerTables, 'attempts' | 'claims' | 'results'>
  /** The memories of the clinks that are worked. */
  readonly #worked = new Present<string, Memory>()

  readonly #fleet: TellsFleet | undefined

  constructor(tables: Pick<LedgerTables, 'attempts' | 'claims' | 'results'>, fleet?: TellsFleet) {
    this.#tables = tables
    this.#fleet = fleet
  }

  attemptsOf(clinkId: string): Attempts {
    const worked = this.#worked.get(clinkId)
    if (worked !== undefined) return worked.attempts
    return this.#tables.claims.get(clinkId)?.attempts ?? this.#tables.attempts.get(clinkId) ?? NONE
  }

  resultOf(clinkId: string): KeptResult | undefined {
    const worked = this.#worked.get(clinkId)
    if (worked !== undefined) return worked.result
    return this.#tables.claims.get(clinkId)?.result ?? this.#tables.results.get(clinkId)
  }

  /** The memory of a clink that is worked. */
  memoryOf(clinkId: string): Memory | undefined {
    return this.#worked.get(clinkId)
  }

  /** The clink is worked from now on. @returns the memory that all who work it share. */
  work(memory: Memory): Memory {
    const shared = this.#worked.get(memory.clinkId) ?? memory
    // Under an earlier claim, whose code goes on, others did nothing. Since then they may have.
    shared.isCurrent &&= this.#fleet === undefined || this.#fleet.of(memory.clinkId) !== undefined
    shared.wasRead = shared.isCurrent
    shared.workers += 1
    this.#worked.set(memory.clinkId, shared)
    return shared
  }

  /** The clink is worked no more by one who did. */
  leave(memory: Memory): void {
    memory.workers -= 1
    if (memory.workers > 0) return
    this.#worked.delete(memory.clinkId)
    this.#fleet?.outdated(memory.clinkId)
  }

  /** What is remembered of the clink is another now. */
  changed(clinkId: string, kept: Kept): void {
    this.#worked.get(clinkId)?.change(kept)
  }

  /** The claim as it is now. @param begun the attempts, with a start that is about to happen. */
  hold(claim: HeldClaim, begun?: Attempts): Promise<void> {
    const { claims } = this.#tables
    const id = claim.clink.clink_id
    const row = { ...claims.get(id), claim }
    if (begun === undefined) return claims.set(id, row)
    this.changed(id, { attempts: begun })
    const here = claims.set(id, { ...row, attempts: begun })
    return this.#fleet === undefined ? here : this.#fleet.begun(id, here)
  }

  /** @param isNew a fleet counts them though it knows of no part of this member: one begins with them. */
  setAttempts(clinkId: string, attempts: Attempts, isNew = false): Promise<void> {
    const { attempts: table, claims } = this.#tables
    const row = claims.get(clinkId)
    this.changed(clinkId, { attempts })
    const here = row === undefined ? table.set(clinkId, attempts) : claims.set(clinkId, { ...row, attempts })
    this.#fleet?.changed(clinkId, 'attempts', here, isNew)
    return here
  }

  setResult(clinkId: string, result: KeptResult): Promise<void> {
    const { claims, results } = this.#tables
    const row = claims.get(clinkId)
    this.changed(clinkId, { result })
    const here = row === undefined ? results.set(clinkId, result) : claims.set(clinkId, { ...row, result })
    this.#fleet?.changed(clinkId, 'result', here)
    return here
  }

  /**
   * Nothing counts any more of what the clink has come to. A fleet is told when that is written here, with what is written beside it: who has lost its disk by
   * then has told nothing. @param left the result that is still to be sent.
   */
  reset(clinkId: string, left?: KeptResult): Promise<void> {
    const { claims } = this.#tables
    const row = claims.get(clinkId)
    this.changed(clinkId, { attempts: undefined, result: left })
    const kept = row && { claim: row.claim, ...(left !== undefined && { result: left }) }
    const claimed = kept && claims.set(clinkId, kept)
    const here = together(claimed, this.#forget(clinkId, kept === undefined ? left : undefined))
    return together(here, this.#over(clinkId, here))
  }

  /** Nothing counts any more of what this member of a fleet has done, and the others know that. */
  forget(clinkId: string): void {
    if (this.attemptsOf(clinkId) === NONE && this.resultOf(clinkId) === undefined) return
    const row = this.#tables.claims.get(clinkId)
    this.changed(clinkId, { attempts: undefined, result: undefined })
    if (row !== undefined) void this.#tables.claims.set(clinkId, { claim: row.claim })
    void this.#forget(clinkId)
  }

  /** The claim has ended, and the clink is not done. */
  release(clinkId: string): Promise<void> {
    const { attempts, claims, results } = this.#tables
    const row = claims.get(clinkId)
    if (row === undefined) return DONE
    this.#fleet?.outlives(clinkId)
    return together(
      claims.delete(clinkId),
      row.attempts === undefined ? undefined : attempts.set(clinkId, row.attempts),
      row.result === undefined ? undefined : results.set(clinkId, row.result),
    )
  }

  /** Something may be kept of what its handler has done. */
  mayHaveSteps(clinkId: string): boolean {
    return this.#worked.get(clinkId)?.mayHaveSteps ?? true
  }

  /** The clink is done, and so is its claim. @param left the result that is sent again should the clink come back. */
  end(clinkId: string, left?: KeptResult): Promise<void> {
    if (this.#fleet !== undefined && this.#hasCome(clinkId)) void this.#over(clinkId)
    this.changed(clinkId, { attempts: undefined, result: left })
    return together(this.#tables.claims.delete(clinkId), this.#forget(clinkId, left))
  }

  /** What any member of a fleet has done with it counts no more. */
  #over(clinkId: string, here?: Promise<void>): Promise<void> | undefined {
    const worked = this.#worked.get(clinkId)
    if (worked !== undefined) worked.others = undefined
    return this.#fleet?.over(clinkId, here)
  }

  /** Something has come of the clink. What has not, no fleet knows. */
  #hasCome(clinkId: string): boolean {
    const others = this.#worked.get(clinkId)?.others
    return others !== undefined || this.attemptsOf(clinkId) !== NONE || this.resultOf(clinkId) !== undefined
  }

  #forget(clinkId: string, left?: KeptResult): Promise<void> {
    const { attempts, results } = this.#tables
    return together(attempts.delete(clinkId), left === undefined ? results.delete(clinkId) : results.set(clinkId, left))
  }
}
