import type { Clink } from './clink/records.ts'

/** Which clink a fact is about: `route` where it has one, `attempt` once a handler was started. */
export interface DeliveryFacts {
  readonly clink: Clink
  readonly route?: string
  readonly attempt?: number
}

/** The facts of a clink that has a route. */
export interface RoutedFacts extends DeliveryFacts {
  readonly route: string
}

/** Why a clink in a page, or a claim on it, is left without being run. */
export type LeftAlone =
  | 'not-claimed' // another caller won it
  | 'in-hand' // it is being worked here already, or was completed while the poll was on its way
  | 'own-reply' // this worker, or another of ours, sent it
  | 'out-of-scope' // `inbox.groups`, `ignore`, `for` or `maxAge` says that it is not for this worker
  | 'note' // a worker reports progress by it, or the end of a circle: nobody is to answer it
  | 'circle' // workers have answered each other too often, and its sender is to be told so
  | 'muted' // its sender and we answer each other in a circle
  | 'given-up' // dead-lettered here
  | 'cooling' // released by its handler a while ago
  | 'no-route' // no handler takes it
  | 'malformed' // the record lacks what it must have
  | 'identity-unknown' // it carries our mark and nothing says yet who we are
  | 'other-owner' // the key that claimed it is somebody else's
  | 'owner-unknown' // the key that claimed it may be somebody else's, and the service did not answer whose it is
  | 'paused' // its route is, and no more may be held
  | 'stopping' // it arrived while the worker stops

/** Why a delivery lost its lease. `refused`: it ran out, and the service's last word on a renewal was that there is none. */
export type LostCause = 'expired' | 'refused' | 'completed-elsewhere' | 'taken' | 'pending-again'

/** Why a claim was given back. */
export type ReleaseCause =
  'handler' | 'shutdown' | 'exhausted' | 'rejected' | 'hold-too-long' | 'too-many-held' | 'unavailable' | 'parked'

type Outcome = 'done' | 'release' | 'retry' | 'reject' | 'failed' | 'asleep' | 'unavailable'

/**
 * Everything that happens, one fact each. The heart emits them and knows nobody who listens; logs, metrics and the demo are
 * listeners. Durations are milliseconds. Names are stable: people search logs for them.
 */
export type WorkerEvent =
  // the worker
  | {
      readonly event: 'worker.started'
      readonly session: string
      readonly concurrency: number
      readonly routes: readonly string[]
      /** The address of what requests go through. */
      readonly proxy?: string
    }
  | { readonly event: 'worker.ready' }
  | { readonly event: 'worker.notReady'; readonly reason: string; readonly advice: string }
  | { readonly event: 'worker.identity'; readonly identity: string; readonly learntFrom: string }
  /** `clink.identity` names somebody else than the state directory knows us as. */
  | { readonly event: 'worker.identityReplaced'; readonly identity: string; readonly before: string }
  /** New claims use another key. `verified`: it is known to be of the same owner; otherwise its first claim tells. */
  | { readonly event: 'key.changed'; readonly verified: boolean }
  /** `goesOn`: claims are made with the key before. */
  | { readonly event: 'key.refused'; readonly reason: string; readonly advice: string; readonly goesOn: boolean }
  /** What is to be the new key is none; the last good one stays. */
  | { readonly event: 'key.unusable'; readonly problem: string }
  | { readonly event: 'worker.renewalUnsupported'; readonly why: string }
  /** Claims are taken to last `assumed` milliseconds, since the service does not tell. */
  | { readonly event: 'worker.claimLengthUntold'; readonly assumed: number; readonly advice: string }
  /** What is claimed is not run, clink after clink: not ready until one of them starts. */
  | { readonly event: 'worker.claimsUnusable'; readonly reason: string; readonly advice: string }
  | {
      readonly event: 'worker.stopping'
      readonly reason: string
      readonly running: number
      readonly queued: number
      readonly held: number
      readonly parked: number
      /** Milliseconds that the stop may take. */
      readonly timeout: number
    }
  | { readonly event: 'worker.aborting'; readonly running: number }
  | {
      readonly event: 'worker.stopped'
      readonly completed: number
      readonly released: number
      readonly deadLettered: number
      readonly lost: number
      readonly leftBehind: readonly string[]
    }
  | {
      readonly event: 'worker.stoodStill'
      readonly duration: number
      /** Files of the handlers that were running. */
      readonly handlers: readonly string[]
      readonly advice: string
    }
  | { readonly event: 'worker.failed'; readonly part: string; readonly error: Error }
  | { readonly event: 'worker.crashed'; readonly crashes: number; readonly running: readonly string[] }
  | { readonly event: 'worker.resumed'; readonly claims: number; readonly gone: number }
  // programs that the last process has left behind
  | { readonly event: 'program.left'; readonly clinkId: string; readonly group: number }
  | { readonly event: 'program.stays'; readonly clinkId: string; readonly group: number; readonly advice: string }
  | { readonly event: 'journal.failed'; readonly problem: string }
  | { readonly event: 'journal.recovered' }
  /** Files of the state directory were taken away or exchanged: nothing new is claimed or started any more. */
  | { readonly event: 'state.lost'; readonly problem: string }
  // the poll
  | {
      readonly event: 'poll.succeeded'
      readonly asked: number
      readonly received: number
      readonly claimed: number
      readonly duration: number
    }
  | { readonly event: 'poll.probed'; readonly duration: number }
  | { readonly event: 'poll.failed'; readonly error: Error; readonly wait: number; readonly failures: number }
  | { readonly event: 'poll.lost'; readonly asked: number; readonly error: Error }
  | { readonly event: 'worker.siblings'; readonly verdict: 'refused' | 'granted' | 'unknown' }
  | { readonly event: 'inbox.starved'; readonly advice: string }
  | { readonly event: 'inbox.reached' }
  /** By so many milliseconds the service's clock is ahead of ours, and `inbox.maxAge` is set. */
  | { readonly event: 'worker.clockDiffers'; readonly ahead: number; readonly advice: string }
  | { readonly event: 'inbox.unknownGroup'; readonly group: string; readonly advice: string }
  | { readonly event: 'poll.refused'; readonly error: Error; readonly advice: string }
  // clinks
  | {
      readonly event: 'clink.leftAlone'
      readonly clinkId: string | undefined
      readonly why: LeftAlone
      readonly detail?: string
    }
  | ({ readonly event: 'clink.claimed'; readonly lease: number } & DeliveryFacts)
  | ({ readonly event: 'clink.takenUp' } & DeliveryFacts)
  /** A claim by id had no verdict. The clink is tried again after the wait. */
  | ({
      readonly event: 'clink.claimFailed'
      readonly error: Error
      readonly wait: number
      /** In a row, this one included. */
      readonly failures: number
    } & DeliveryFacts)
  | ({
      readonly event: 'clink.parked'
      readonly why: LeftAlone
      /** It was parked before: its claim has run out since then, and a poll has made another. */
      readonly again: boolean
      readonly lease: number
    } & DeliveryFacts)
  | ({ readonly event: 'clink.started'; readonly waited: number } & DeliveryFacts)
  | ({
      readonly event: 'clink.ended'
      readonly outcome: Outcome | 'cut-short' | 'lost'
      readonly reason?: string
      readonly error?: Error
      readonly duration: number
    } & DeliveryFacts)
  | ({ readonly event: 'clink.held'; readonly wait: number; readonly why: string } & DeliveryFacts)
  | ({ readonly event: 'clink.renewed'; readonly left: number; readonly headroom: number } & DeliveryFacts)
  | ({ readonly event: 'clink.renewalFailed'; readonly error: Error; readonly left: number } & DeliveryFacts)
  | ({ readonly event: 'clink.renewalRefused'; readonly why: string; readonly left: number } & DeliveryFacts)
  | ({ readonly event: 'clink.lost'; readonly cause: LostCause; readonly detail?: string } & DeliveryFacts)
  | ({ readonly event: 'clink.stuck'; readonly since: number; readonly advice: string } & DeliveryFacts)
  | ({ readonly event: 'clink.unstuck'; readonly after: number } & DeliveryFacts)
  | ({
      readonly event: 'clink.completed'
      readonly response?: string
      readonly responseId?: string
      readonly presumed: boolean
      /** Milliseconds of its last run, where this process ran it, and of telling Clink. */
      readonly duration: number
    } & DeliveryFacts)
  | ({ readonly event: 'clink.circleEnded'; readonly hops: number; readonly advice: string } & DeliveryFacts)
  | ({
      readonly event: 'clink.released'
      readonly why: ReleaseCause
      readonly reason?: string
      readonly duration: number
    } & DeliveryFacts)
  | ({ readonly event: 'clink.settledElsewhere'; readonly detail: string } & DeliveryFacts)
  | ({
      readonly event: 'clink.settlementFailed'
      readonly kind: 'complete' | 'release'
      readonly error: Error
      readonly wait: number
    } & DeliveryFacts)
  | ({ readonly event: 'clink.responseShortened'; readonly length: number; readonly why: string } & DeliveryFacts)
  | ({ readonly event: 'clink.leftToExpire'; readonly why: string } & DeliveryFacts)
  | ({ readonly event: 'clink.lateResult'; readonly outcome: Outcome } & DeliveryFacts)
  | ({ readonly event: 'clink.rerun'; readonly step: 'run' | 'send' } & DeliveryFacts)
  | ({ readonly event: 'clink.rerunDone'; readonly resultId?: string; readonly response?: string } & DeliveryFacts)
  | ({ readonly event: 'clink.resultUnsent'; readonly error: Error; readonly wait: number } & DeliveryFacts)
  | ({ readonly event: 'clink.resultUnknown'; readonly reason: string; readonly advice: string } & DeliveryFacts)
  | ({ readonly event: 'clink.deadLettered'; readonly reason: string; readonly attempts: number } & DeliveryFacts)
  | ({
      readonly event: 'clink.log'
      readonly level: 'debug' | 'info' | 'warn' | 'error'
      readonly message: string
      readonly fields?: Readonly<Record<string, unknown>>
    } & DeliveryFacts)
  | {
      readonly event: 'sender.muted'
      readonly sender: string
      readonly count: number
      readonly until: number
      readonly advice: string
    }
  /** A pattern for senders' ids fits a display name: until this version that was enough. */
  | {
      readonly event: 'config.nameNotMatched'
      readonly setting: string
      readonly pattern: string
      readonly advice: string
    }
  // routes and handlers
  | {
      readonly event: 'route.paused'
      readonly route: string
      readonly failures: number
      readonly clinks: number
      readonly error: Error
      readonly advice: string
    }
  | { readonly event: 'route.resumed'; readonly route: string; readonly duration: number }
  | { readonly event: 'handlers.loaded'; readonly generation: number; readonly files: readonly string[] }
  | { readonly event: 'handlers.failed'; readonly error: Error; readonly kept: number }

export type Emit = (event: WorkerEvent) => void
