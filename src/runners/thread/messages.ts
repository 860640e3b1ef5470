import type { ErrorFact } from '../../base/error-fact.ts'
import type { ErrorCode } from '../../base/coded-error.ts'
import type { OperationName } from '../../clink/contract.ts'
import type { ApiFailure } from '../../clink/errors.ts'
import type { AbortCode, HandlerLog } from '../../handlers/handler.ts'
import type { ModuleSnapshot } from '../../handlers/module-snapshot.ts'
import type { Outcome } from '../outcome.ts'
import type { Task, TaskServices } from '../runner.ts'

/** What a thread is given once, when it is made. */
export interface ThreadData {
  readonly modules: ModuleSnapshot
  /** What can be known of the worker's client; its key stays where it is. */
  readonly service: { readonly url: string; readonly sessionId: string }
  readonly shared: SharedArrayBuffer
}

/** What both sides see at once, even where the thread does not come to read messages. Indexes of an `Int32Array`. */
export const SHARED = { bytes: 12, signals: 0, unread: 1, letGo: 2 } as const

/** To the thread. Runs are counted: a thread has one at a time, and may be told of one that has just ended. */
export type ToThread =
  | ({ readonly do: 'run'; readonly run: number; readonly url: string } & Pick<Task, 'envelope' | 'env'>)
  | { readonly do: 'abort'; readonly run: number; readonly code: AbortCode; readonly message: string }
  | { readonly do: 'drain'; readonly run: number }
  | { readonly do: 'collect'; readonly run: number }
  | { readonly do: 'answer'; readonly call: number; readonly value: unknown }
  | { readonly do: 'refuse'; readonly call: number; readonly error: ThrownFact }

/** From the thread. */
export type FromThread = { readonly run: number } & (
  | {
      readonly say: 'log'
      readonly level: keyof HandlerLog
      readonly message: string
      readonly fields?: Readonly<Record<string, unknown>>
      readonly errors?: Readonly<Record<string, ErrorFact>>
    }
  /** The handler of the run is loaded now, which it was not before. */
  | { readonly say: 'loaded' }
  | { readonly say: 'keepalive' }
  | { readonly say: 'collected'; readonly used: number }
  | { readonly say: 'call'; readonly call: number; readonly service: ServiceName; readonly given: readonly unknown[] }
  | { readonly say: 'cancel'; readonly call: number }
  | { readonly say: 'ended'; readonly outcome: Outcome }
  /** Nothing caught it: `said` is its own message. `isOver`: the thread ends by it. */
  | { readonly say: 'uncaught'; readonly error: ErrorFact; readonly said: string; readonly isOver: boolean }
)

/** What a handler may have done for it by a call: an operation of the API, or one of the worker's own. */
export type ServiceName = OperationName | Exclude<keyof TaskServices, 'api' | 'keepalive' | 'log'> | 'health'

/** An error that crosses, as what it was: its class, where handlers ask for that, and its fields. */
export interface ThrownFact {
  readonly error: ErrorFact
  readonly api?: ApiFailure
  readonly code?: ErrorCode
}
