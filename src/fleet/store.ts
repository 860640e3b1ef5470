import type { FleetPause, Member } from '../ledger/fleet.ts'
import type { LimitStore } from '../ledger/fleet-limits.ts'
import type { KeptStep } from '../ledger/step-table.ts'
import type { LetterEdit } from './letter-edits.ts'
import type { KeptFleetPause } from './pauses.ts'

/** Kinds of rows that all members share, by their tables here. Members' own parts of a clink are not among them. */
export const NOTES = ['letters', 'cooling', 'own', 'audit'] as const
export type NoteKind = (typeof NOTES)[number]

/** A shared row: JSON, and null where there is none any more. */
export interface Note {
  readonly kind: NoteKind
  readonly id: string
  readonly row: string | null
  /** Of a clink that is left alone: milliseconds that are left of it, by the clock of the store. Left out: the row says it. */
  readonly left?: number
}

export interface ChangedNote extends Note {
  /** False where a row that another member has removed is to stay removed. */
  readonly isNew: boolean
  /** Of a letter: it is carried out by `edited` on what is there. */
  readonly edit?: LetterEdit | undefined
}

/** What another member has done with a clink: JSON, and null for nothing. */
export interface Part {
  readonly clink: string
  readonly attempts: string | null
  readonly result: string | null
}

export interface Recalled {
  /** Of other members than this one, with whose they are. */
  readonly parts: readonly (Part & { readonly member: string })[]
  /** Clinks of which there is a part of this member. */
  readonly mine: readonly string[]
  readonly notes: readonly Note[]
}

/**
 * What is written at once. Every line says how something is from now on, and not by how much it changes: whoever does not learn whether it was
 * written writes it again.
 */
export interface Batch {
  /** Clinks of which no member's part counts any more. */
  readonly over: readonly string[]
  /**
   * Of those of which an earlier write may have told already, for how many milliseconds that is so: what another member has told since then stays, since it may
   * have begun anew.
   */
  readonly overFor?: ReadonlyMap<string, number>
  /** This member's parts, also of clinks that are over: then they are what is left. One that is not new changes nothing where there is none: it is over. */
  readonly parts: readonly (Part & { readonly isNew: boolean })[]
  readonly notes: readonly ChangedNote[]
  /** In this order: all steps of clinks are dropped, some are removed, others are kept. */
  readonly steps: {
    readonly dropped: readonly string[]
    readonly removed: readonly (Pick<KeptStep, 'is' | 'name'> & { readonly clink: string })[]
    readonly kept: readonly (KeptStep & { readonly clink: string })[]
  }
}

/** Letters and acts of operators that have changed, and all that is paused. */
export interface Changes {
  readonly notes: readonly Note[]
  readonly pauses: readonly FleetPause[]
  /** What members have found out about siblings, by the address of the service. */
  readonly siblings: ReadonlyMap<string, string>
  /** The other members that have not left, by their marks: milliseconds since each showed itself. */
  readonly members: ReadonlyMap<string, number>
  /** From where the next look goes on. */
  readonly next: string
  /** What lies between the last look and this one is not known any more: these notes are all there are. */
  readonly isWhole: boolean
}

/** Whoever asks has not prepared the store since it failed: why it did is known better by whoever tried that. */
export class NotPrepared extends Error {
  constructor() {
    super('it was not reached yet')
  }
}

/** Where a fleet remembers. Each call is one round trip, and rejects where the store is away. */
export interface SharedStore {
  /** Where it is, for people, without its password. */
  readonly place: string
  /** What of routes' limits is the fleet's. */
  readonly limits: LimitStore
  /** Makes what is missing in it. Called until it succeeds, before anything else. @returns which store it is: another one where it was made anew. */
  prepare(): Promise<string>
  recall(clinkIds: readonly string[]): Promise<Recalled>
  /** Rejects while nobody has prepared the store (`NotPrepared`). One that has failed may be carried out late, but not after a later one of this member. @returns how those letters are now that are not gone. */
  write(batch: Batch): Promise<readonly Note[]>
  /** @param after undefined: all of them. */
  changes(after: string | undefined): Promise<Changes>
  /** What is paused, as this member remembers it: told to a store that was made anew. One that was set there since, or ended, stays as it is. */
  tellPauses(pauses: readonly KeptFleetPause[]): Promise<void>
  /** What this member has found out about siblings at a service, in place of what another one has. */
  noteSiblings(url: string, verdict: string): Promise<void>
  /** Shows that this member is there, by writing. @param shows what it says of itself: JSON. @returns why this version may not work with the store any more; undefined: it may. */
  beat(shows?: string): Promise<string | undefined>
  /** Those that were there within the last day and did not leave. */
  members(): Promise<readonly Member[]>
  /** `age`: milliseconds for which the store has it. Left out: it does not say. */
  steps(clinkId: string): Promise<readonly (KeptStep & { readonly age?: number })[]>
  /** @param keep milliseconds. */
  prune(keep: number): Promise<void>
  /** Whether an error is about what was to be written, and not about the store. */
  isOfTheData(error: unknown): boolean
  /** @param isLeaving this member is no longer there, if the store is. */
  close(isLeaving?: boolean): Promise<void>
}
