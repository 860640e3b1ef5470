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
  | 'unjudged' // its route could not be found out: that is tried again with its next claim
  | 'paused' // its route is, or the worker; or a broken one, and no more may be held
  | 'stopping' // it arrived while the worker stops

/** Why a delivery lost its lease. `refused`: it ran out, and the service's last word on a renewal was that there is none. */
export type LostCause = 'expired' | 'refused' | 'completed-elsewhere' | 'taken' | 'pending-again' | 'right-expired'

/** Why a claim was given back. */
export type ReleaseCause =
  | 'handler'
  | 'cancelled'
  | 'shutdown'
  | 'exhausted'
  | 'rejected'
  | 'hold-too-long'
  | 'too-many-held'
  | 'unavailable'
  | 'parked'
  | 'rerouted' // since a reload another route takes it, or none

type Outcome = 'done' | 'release' | 'retry' | 'reject' | 'failed' | 'asleep' | 'unavailable'

/** Facts by the names of their events. */
interface GeneralEvents {
  // the worker
  'worker.started': {
    session: string
    concurrency: number
    routes: readonly string[]
    /** The name of the fleet, and which member of it this is. */
    fleet?: string
    member?: string
    /** The address of what requests go through. */
    proxy?: string
  }
  'worker.ready': {}
  'worker.notReady': { reason: string; advice: string }
  'worker.identity': { identity: string; learntFrom: string }
  /** `clink.identity` names somebody else than the state directory knows us as. */
  'worker.identityReplaced': { identity: string; before: string }
  'worker.identityGivenUp': { identity: string; named: string }
  /** New claims use another key. `verified`: it is known to be of the same owner; otherwise its first claim tells. */
  'key.changed': { verified: boolean }
  /** The key file holds the key in use: whatever was wrong with what it held before is mended. */
  'key.unchanged': {}
  /** `goesOn`: claims are made with the key before. */
  'key.refused': { reason: string; advice: string; goesOn: boolean }
  /** What is to be the new key is none; the last good one stays. `isReadOnce`: whatever the file holds, it is not read again. */
  'key.unusable': { problem: string; isReadOnce?: true }
  'worker.renewalUnsupported': { why: string }
  /** Claims are taken to last `assumed` milliseconds, since the service does not tell. */
  'worker.claimLengthUntold': { assumed: number; advice: string }
  /** What is claimed is not run, clink after clink: not ready until one of them starts. */
  'worker.claimsUnusable': { reason: string; advice: string }
  'worker.stopping': {
    reason: string
    running: number
    queued: number
    held: number
    parked: number
    /** Milliseconds that the stop may take. */
    timeout: number
  }
  'worker.aborting': { running: number }
  /** `about`: a route, a clink, dead letters or a level, where it is not about the worker. */
  'operator.acted': { act: string; by: string; about?: string; note?: string; outcome?: string }
  /** As it starts: an operator has paused it, or a route, for `left` milliseconds more where that has an end. */
  'worker.stillPaused': { route?: string; by: string; note?: string; left?: number; advice?: string }
  /** The time that an operator gave a pause has come to its end. */
  'worker.pauseOver': { route?: string; by: string }
  /** This worker has seen that its fleet is paused, or a route of it, for `left` milliseconds more where that has an end. */
  'fleet.paused': { route?: string; by: string; note?: string; left?: number }
  /** It has seen that it is no more. */
  'fleet.resumed': { route?: string }
  /** It takes nothing, and nothing is in hand any more. */
  'worker.drained': {}
  'worker.stopped': {
    completed: number
    released: number
    deadLettered: number
    lost: number
    leftBehind: readonly string[]
  }
  'worker.stoodStill': {
    duration: number
    /** Files of the handlers that were running. */
    handlers: readonly string[]
    advice: string
  }
  'worker.failed': { part: string; error: Error }
  'worker.crashed': { crashes: number; running: readonly string[] }
  'worker.resumed': { claims: number; gone: number }
  // programs that the last process has left behind
  'program.left': { clinkId: string; group: number }
  'program.stays': { clinkId: string; group: number; advice: string }
  'journal.failed': { problem: string }
  'journal.recovered': {}
  'store.failed': { problem: string }
  'store.recovered': {}
  /** By HTTP, for probes and metrics. */
  'server.listening': { url: string }
  /** It tries again every `again` milliseconds, and works without until then. */
  'server.unavailable': { problem: string; again: number; advice: string }
  /** What handlers say for their clinks is not kept. */
  'logs.failed': { problem: string }
  /** It is again, after so many lines that are lost. */
  'logs.recovered': { lost: number }
  /** Files of the state directory were taken away or exchanged: nothing new is claimed or started any more. */
  'state.lost': { problem: string }
  /** Of all claims: one is answered after so many failures in a row. */
  'renewals.recovered': { failures: number; duration: number }
  'settlements.recovered': { failures: number; duration: number }
  // the poll
  /** Not `looked`: it has only claimed by id what was listed before. */
  'poll.succeeded': { looked: boolean; asked: number; received: number; claimed: number; duration: number }
  'poll.probed': { duration: number }
  'poll.failed': { error: Error; wait: number; failures: number }
  'poll.lost': { asked: number; error: Error }
  'worker.siblings': { verdict: 'refused' | 'granted' | 'unknown' }
  'inbox.starved': { advice: string }
  'inbox.reached': {}
  /** By so many milliseconds the service's clock is ahead of ours, and `inbox.maxAge` is set. */
  'worker.clockDiffers': { ahead: number; advice: string }
  'inbox.unknownGroup': { group: string; advice: string }
  'poll.refused': { error: Error; advice: string }
  // clinks
  'clink.leftAlone': { clinkId: string | undefined; why: LeftAlone; detail?: string }
  'sender.muted': { sender: string; count: number; until: number; advice: string }
  /** A pattern for senders' ids fits a display name: until this version that was enough. */
  'config.nameNotMatched': { setting: string; pattern: string; advice: string }
  /** Another configuration is in use: the keys that differ, by when they take effect. */
  'config.reloaded': { atOnce: readonly string[]; newDeliveries: readonly string[]; restart: readonly string[] }
  /** It could not be read: the one in use stays. */
  'config.failed': { error: Error }
  // routes and handlers
  'route.paused': {
    route: string
    failures: number
    clinks: number
    /** As of the run that ended last. */
    reason: string
    said?: string
    error: Error
    advice: string
  }
  /** Claims by id are not made: limits of these routes hold back starts only. */
  'route.limitsHoldStarts': { routes: readonly string[]; advice: string }
  'route.resumed': { route: string; duration: number }
  'handlers.loaded': { generation: number; files: readonly string[] }
  'handlers.failed': { error: Error; kept: number }
}

/** Facts about a clink: beside these fields each has those of `DeliveryFacts`. */
interface ClinkEvents {
  'clink.claimed': { lease: number }
  'clink.takenUp': {}
  /** A claim by id had no verdict. The clink is tried again after the wait. */
  'clink.claimFailed': {
    error: Error
    wait: number
    /** In a row, this one included. */
    failures: number
  }
  'clink.parked': {
    why: LeftAlone
    /** It was parked before: its claim has run out since then, and a poll has made another. */
    again: boolean
    lease: number
  }
  'clink.started': { waited: number }
  'clink.ended': {
    outcome: Outcome | 'cut-short' | 'lost'
    /** In the worker's words. */
    reason?: string
    /** What the handler, program or application has said itself. */
    said?: string
    error?: Error
    duration: number
  }
  'clink.held': { wait: number; why: string }
  'clink.renewed': { left: number; headroom: number }
  'clink.renewalFailed': {
    error: Error
    left: number
    /** In a row, of all claims, this one included. */
    failures: number
  }
  'clink.renewalRefused': { why: string; left: number }
  'clink.lost': { cause: LostCause; detail?: string }
  'clink.stuck': { since: number; advice: string }
  'clink.unstuck': { after: number }
  'clink.completed': {
    response?: string
    responseId?: string
    presumed: boolean
    /** Milliseconds of its last run, where this process ran it, and of telling Clink. */
    duration: number
  }
  'clink.circleEnded': { hops: number; advice: string }
  'clink.released': { why: ReleaseCause; reason?: string; duration: number }
  'clink.settledElsewhere': { detail: string }
  'clink.settlementFailed': { kind: 'complete' | 'release'; error: Error; wait: number; failures: number }
  /** The result that an earlier claim, or an earlier process, has left is sent; the handler is not run again. */
  'clink.replayed': {}
  'clink.responseShortened': { length: number; why: string }
  'clink.leftToExpire': { why: string }
  'clink.lateResult': { outcome: Outcome }
  'clink.rerun': { step: 'run' | 'send' }
  'clink.rerunDone': { resultId?: string; response?: string }
  'clink.resultUnsent': { error: Error; wait: number }
  'clink.resultUnknown': { reason: string; advice: string }
  'clink.deadLettered': { reason: string; attempts: number }
  /** `done`: it has been done in this run, and is kept; `kept`: an earlier run has done it. */
  'clink.step': { name: string; was: 'done' | 'kept'; duration?: number }
  'clink.log': {
    level: 'debug' | 'info' | 'warn' | 'error'
    message: string
    fields?: Readonly<Record<string, unknown>>
  }
}

type EventsOf<Facts, Beside = unknown> = {
  [Name in keyof Facts]: { readonly event: Name } & Readonly<Facts[Name]> & Beside
}[keyof Facts]

/**
 * Everything that happens, one fact each. The heart emits them and knows nobody who listens; logs, metrics and the demo are
 * listeners. Durations are milliseconds. Names are stable: people search logs for them.
 */
export type WorkerEvent = EventsOf<GeneralEvents> | EventsOf<ClinkEvents, DeliveryFacts>

export type Emit = (event: WorkerEvent) => void
