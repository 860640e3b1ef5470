import { Signal } from '../base/signal.ts'
import type { ClinkApiError } from '../clink/errors.ts'
import type { Clink } from '../clink/records.ts'
import type { LostCause } from '../events.ts'

/** What one look at the inbox has brought. */
export interface Taken {
  /** Local time when it was asked for; of a sweep of several pages: the first. */
  readonly sentAt: number
  /** Something came that was not here before. */
  readonly isNews: boolean
  /** More is known to wait than could start. */
  readonly isMore: boolean
  /** Whatever is known to wait, none of it can be claimed before a seat is free, or a claim is answered. */
  readonly isHeldUp?: boolean
  /** All that the inbox shows was looked at. */
  readonly isWhole: boolean
  /** Nothing waits that this worker would run. */
  readonly isEmpty: boolean
  /** Clinks wait, and the service claims none of them for polls. */
  readonly isWithheld?: boolean
  /** Why not all of it was claimed that could have been, where some was. */
  readonly failed?: ClinkApiError | undefined
}

/** A look at the inbox that was not answered as it should be. */
export interface FailedLook {
  readonly error: ClinkApiError
  /** In a row, this one included. */
  readonly failures: number
  /** The key is refused, or something in front of the service refuses it: only people can end that. */
  readonly isRefused: boolean
}

/** How a claim came to its end. */
export type Ending =
  | { readonly is: 'completed' | 'released' | 'elsewhere' | 'left-to-expire' }
  /** `lapsedAt`: of a claim that ran out, the local time until which it certainly stood. */
  | { readonly is: 'lost'; readonly cause: LostCause; readonly lapsedAt?: number | undefined }

/**
 * What parts of the heart, and whoever owns it, act by. Whatever happens because of something else happens by one of these, or by a call;
 * events only tell, and nobody needs to listen to them.
 */
export class WorkerSignals {
  /** A look at the inbox was answered, and what it brought is admitted. */
  readonly polled = new Signal<[taken: Taken]>()
  readonly failed = new Signal<[look: FailedLook]>()
  /** The service has answered once, and nothing may be claimed: what takes no claim may go on. Said again and again. */
  readonly answered = new Signal()
  /** What the configuration asks for may not be done: nothing will be claimed. */
  readonly blocked = new Signal()
  /** Nothing is claimed, or what is claimed is not worked: why, and what to do about it. */
  readonly notReady = new Signal<[why: { readonly reason: string; readonly advice: string }]>()
  /** A suspect wants to run alone: nothing is claimed until it has. */
  readonly narrowed = new Signal()
  /** A handler has been started on a claimed clink. */
  readonly started = new Signal()
  /** A claim has come to its end. Code of its handler may still run. */
  readonly settled = new Signal<[clink: Clink, how: Ending]>()
  /** A try to tell Clink about a claim has failed, and another will follow. */
  readonly settlementFailed = new Signal<[clink: Clink, error: ClinkApiError]>()
  readonly deadLettered = new Signal<[clink: Clink]>()
  /** A delivery or a rerun is over, and its code too. */
  readonly over = new Signal()
  /** More may start than before, perhaps. */
  readonly freed = new Signal()
  /** A route that was at its limit may take one more clink. */
  readonly opened = new Signal()
  /** The right to a key of the fleet is over by the clock, or another member has it: what runs by it is worked no more. */
  readonly rightsLost = new Signal()
  /** The inbox is to be looked at: everything in it, or what is new. */
  readonly look = new Signal<[what: 'everything' | 'news']>()
  /** Another worker is gone, and what it had claimed comes back. `ago`: milliseconds for which it has surely made no claim longer. */
  readonly departed = new Signal<[ago: number]>()
  /** A run says that a text is a secret: from now on no log shows it. */
  readonly masked = new Signal<[value: string]>()
  /** Somebody wants clinks taken that were not: of a route, or at all. */
  readonly unpaused = new Signal()
  /** Another key is current: it may be able to do what the one before could not. */
  readonly keyChanged = new Signal()
  /** A key is somebody else's: what it has claimed is worked no more. */
  readonly keyEstranged = new Signal()
  /** The only key is somebody else's: nothing is claimed any more. */
  readonly keyRefused = new Signal()
  /** A part of the heart broke: whoever owns the worker stops it and ends the process. */
  readonly crashed = new Signal<[part: string, error: Error]>()
}
