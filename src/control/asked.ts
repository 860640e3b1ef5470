import type { Act } from '../ledger/audit.ts'
import type { FleetView, Membership } from '../ledger/fleet.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Liveness } from '../worker/liveness/liveness.ts'
import type { Readiness } from '../worker/liveness/readiness.ts'
import type { Seen } from './seen.ts'
import type { StatusFacts } from './status-of.ts'

/** What somebody wants, and who that is. */
export interface Wish {
  readonly by: string
  readonly note?: string | undefined
  /** Left out: the worker. */
  readonly route?: string | undefined
}

/** How far a drain is. */
export interface Drained {
  /** Clinks that are in hand, be it only to be given back. */
  readonly inHand: number
  readonly isDone: boolean
  /** False: somebody has resumed the worker. Left out: it is of a version that does not say. */
  readonly isDraining?: boolean
}

/** How a stop has ended. */
export interface Stopped {
  /** Clinks whose claims it still holds. */
  readonly leftBehind: readonly string[]
  /** What its process ends with. */
  readonly exit: number
}

/** The worker that runs, as requests reach it. */
interface AskedWorker extends Seen {
  settledLiveness(): Promise<Liveness>
  readiness(): Readiness
  report(): StatusFacts
  /** Looks at the inbox once more, where that is due. It takes a moment at most. */
  lookAtInbox(): Promise<void>
  readonly routes: readonly string[]
  /** The clink may be run again. */
  retried(id: string): void
  /** Told of everything that an operator did. */
  acted(act: Omit<Act, 'at'>): void
  /** @param lasts milliseconds; undefined: until it is resumed. */
  pause(wish: Wish, lasts: number | undefined): Promise<void>
  /** @returns whether there was something to resume. */
  resume(route: string | undefined): Promise<boolean>
  drain(wish: Wish): void
  drained(): Drained
  /** Begins to stop. @param reason for people. */
  stop(reason: string): void
  /** Resolves when it has stopped; undefined: no stop has begun. */
  stopped(): Promise<Stopped> | undefined
  /** @param reason for people. */
  cancel(clinkId: string, to: 'release' | 'reject', reason: string): 'aborted' | 'waited' | 'late' | 'unknown'
  /** Reads configuration, handlers and key file again. */
  reload(): Promise<Reloaded>
  /** @param lasts milliseconds; undefined: until the process ends, or the configuration says another. */
  logLevel(level: LogLevel, lasts: number | undefined): void
}

/** What came of a reload. */
interface Reloaded {
  /** What is wrong, one line each: then what was in use stays. */
  readonly problem: string | undefined
  /** Keys that have changed since the start, and take a restart. */
  readonly restart: readonly string[]
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

/** The fleet of a worker that runs. */
interface AskedFleet extends Membership {
  look(): Promise<FleetView>
  /** Reads now what is paused. */
  lookAgain(): Promise<void>
}

/** Whom a request is put to: a worker, or what one has left. */
export interface Asked {
  readonly ledger: Ledger
  /** Undefined: it remembers alone, or nobody runs that is a member. */
  readonly fleet?: AskedFleet | undefined
  /** Why the store of its fleet cannot be asked now, for people; left out, or undefined: it can, or there is none. */
  readonly away?: () => string | undefined
  /** Undefined: none runs. */
  readonly worker: AskedWorker | undefined
}
