import type { Signal } from '../base/signal.ts'
import type { DeadLetter } from './dead-letters.ts'
import type { LimitStore } from './fleet-limits.ts'
import type { Attempts, Begun, KeptResult } from './remembered.ts'
import type { LedgerTables } from './tables.ts'

/** The fact by which a state directory knows that its fleet was told all that it remembers, and which fleet that is. */
export const JOINED = 'fleet'
/** The fact that says which member the worker of a state directory is, or was. */
export const MEMBER = 'member'

/** What a member of a fleet says of itself every few seconds. */
export interface MemberSigns {
  readonly pid: number
  /** Whether it takes work, and why it does not: for people. */
  readonly isReady: boolean
  readonly reasons: readonly string[]
  /** Clinks in hand, slots that are taken, and slots in all. */
  readonly inHand: number
  readonly taken: number
  readonly slots: number
  /** `waits`: why no clink of it is taken now, in the words of `status`. */
  readonly routes: readonly { readonly name: string; readonly waits: readonly string[] }[]
}

/** A pause of a whole fleet, as its store says it. */
export interface FleetPause {
  /** Left out: nothing is taken at all. */
  readonly route?: string
  /** Who wants it, as they said. */
  readonly by: string
  readonly note?: string
  /** When it was asked for, by the clock of the store: wall time in milliseconds. */
  readonly at: number
  /** For how many milliseconds it stands still; undefined: until somebody ends it. */
  readonly left: number | undefined
}

/** What a member of a fleet has read of its pauses. */
export interface SeenPauses {
  /** As they are at this moment; undefined: this process has not read them yet. */
  list(): readonly FleetPause[] | undefined
  /** They were read. */
  readonly read: Signal
}

/** A worker that was there within the last day and did not leave. */
export interface Member {
  readonly member: string
  /** The machine's. */
  readonly name: string
  readonly version: string
  /** When it showed itself last, by the store's clock: wall time in milliseconds. */
  readonly seen: number
  /** Milliseconds since then. */
  readonly age: number
  /** It has not shown itself for long. */
  readonly isSilent: boolean
  /** Null: it says nothing of itself, or nothing that this version reads. */
  readonly signs: MemberSigns | null
}

/** The workers of a fleet, what is paused for them, and where it remembers. */
export interface FleetView {
  readonly fleet: string
  readonly place: string
  readonly members: readonly Member[]
  readonly pauses: readonly FleetPause[]
}

/** All who are there say which routes they have, and none has this one. Of a fleet of which nobody is there nothing is known. */
export function isKnownAbsent(route: string, members: readonly Pick<Member, 'isSilent' | 'signs'>[]): boolean {
  const there = members.filter(({ isSilent }) => !isSilent)
  return there.length > 0 && there.every(({ signs }) => signs?.routes.every(({ name }) => name !== route) === true)
}

/** What other members of the fleet have done with a clink. */
export interface ByOthers {
  /** Their starts, together; their crashes and suspicions are about their own processes, and not here. */
  readonly attempts: Pick<Attempts, 'count' | 'errors' | 'excused' | 'outlived' | 'released' | 'retried'>
  /** What they have begun to run again: when that letter was given up, and who has. */
  readonly begun: readonly Begun[]
  /** Of each the starts, where the last one was over a letter. */
  readonly overLetters: readonly Attempts[]
  /** A result of theirs that Clink has not confirmed. */
  readonly result?: KeptResult
}

/** Which member of which fleet a worker is. */
export interface Membership {
  /** Of the fleet. */
  readonly name: string
  /** The same over restarts, and another one in another state directory. */
  readonly member: string
  /** The name of its machine. */
  readonly machine: string
}

/** So many characters of a member's mark tell it apart from others. */
const MARK = 6

/** A member by its machine, with the beginning of its own mark: for people. */
export function memberName(machine: string, member: string): string {
  return `${machine} (${member.slice(0, MARK)})`
}

/**
 * What several workers remember together, as the ledger tells it of its steps. Each member writes its own part of a clink's attempts and nobody
 * else's; what the clink has come to is the sum. So a write that is repeated changes nothing, and two members never overwrite each other.
 */
export interface Fleet {
  /** The tables of this process. A write to one that is shared is noted for the fleet in the same commit. */
  readonly tables: LedgerTables
  /** Which member this is. */
  readonly member: string
  /** The name of its machine. */
  readonly machine: string
  /** What is paused for all members. */
  readonly pauses: SeenPauses
  /** What other members have found out about siblings at a service, by its address. */
  readonly siblings: (url: string) => string | undefined
  /** Keys and permits of routes whose limits are the fleet's. */
  readonly limits: LimitStore
  /** False: what it remembers cannot be read or written now, so nothing new may start. */
  readonly isHealthy: boolean
  /** Reads what the fleet remembers of these clinks, in one query. It never rejects: what could not be read is not known by `of`, whatever was read before. */
  recall(clinkIds: readonly string[]): Promise<void>
  /** What was read of the clink by the last `recall`, unless it is `outdated` since; undefined: nothing. `none`: others have done nothing. */
  of(clinkId: string): ByOthers | 'none' | undefined
  /** Another member may have done something with the clink since what `of` says was read: that was not a moment ago. */
  isOld(clinkId: string): boolean
  /** What this member has done with the clink counts no more, by what was read: another one has given it up, or has done it. */
  isOver(clinkId: string): boolean
  /** What was read counts no more: somebody else may have had the clink since. */
  outdated(clinkId: string): void
  /** Its handler is about to start. @param here resolves when this process would know. @returns resolves when the fleet does, or cannot be told. */
  begun(clinkId: string, here: Promise<void>): Promise<void>
  /**
   * What this member has done with it has changed. Where the fleet knows of nothing any more, that is over, and stays so.
   * @param here as above. @param isNew it counts all the same: it begins with this.
   */
  changed(clinkId: string, what: 'attempts' | 'result', here: Promise<void>, isNew?: boolean): void
  /** Its claim ends, and what has come of it is a row of its own from now on. */
  outlives(clinkId: string): void
  /**
   * What any member has done with it counts no more. @param here resolves when this process would know why: until then the fleet goes by what was done.
   * @param at wall time of that, where it goes on from there: a crash keeps nobody from being told.
   * @returns resolves when the fleet knows, or cannot be told.
   */
  over(clinkId: string, here?: Promise<void>, at?: number): Promise<void>
  /** Who is there. @throws {CodedError} where that cannot be read. */
  look(): Promise<FleetView>
  /** Forgets what no member has seen for so many milliseconds. */
  prune(keep: number): Promise<void>
  /** Whether the others know why the clink is left alone: that it is given up, or cools down, or was sent here. False: that is still to be written. */
  isTold(clinkId: string): boolean
  /** Resolves when the fleet knows what was changed of its dead letter here, and it is here as the fleet has it; or when that cannot be told. */
  untilTold(clinkId: string): Promise<void>
  /** Calls back when another member has changed a dead letter. */
  onLetter(changed: (clinkId: string, letter: DeadLetter | undefined) => void): void
}
