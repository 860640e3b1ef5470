import type { Duration } from '../base/duration.ts'
import type { ClinkClient } from '../clink/client.ts'
import type { Clink } from '../clink/records.ts'
import type { MatchRule } from '../config/config.ts'

/** Why a handler's signal aborted. */
export type AbortCode = 'lease-lost' | 'timeout' | 'shutdown' | 'cancelled'

/** The reason of an aborted `ctx.signal`. */
export class HandlerAborted extends Error {
  override readonly name = 'HandlerAborted'
  readonly code: AbortCode

  constructor(code: AbortCode, message: string) {
    super(message)
    this.code = code
  }
}

const CONTROL = Symbol.for('clink-worker.control')

/** What `ctx.release`, `ctx.retryAfter` and `ctx.reject` make: return it or throw it. */
export interface Control {
  readonly [CONTROL]: true
  readonly kind: 'release' | 'retry' | 'reject'
  /** Milliseconds, for `retry`. */
  readonly after?: number
  readonly reason?: string
}

/** What `ctx.sleep` throws. */
export interface Asleep {
  readonly [CONTROL]: true
  readonly kind: 'sleep'
  readonly name: string
  /** Wall time in milliseconds. */
  readonly until: number
}

export function makeControl(control: Omit<Control, typeof CONTROL>): Control {
  return Object.freeze({ [CONTROL]: true as const, ...control })
}

export function makeAsleep(name: string, until: number): Asleep {
  return Object.freeze({ [CONTROL]: true as const, kind: 'sleep' as const, name, until })
}

export function isControl(value: unknown): value is Control | Asleep {
  return typeof value === 'object' && value !== null && CONTROL in value
}

/** The log of one delivery: each line carries the clink's id, group, handler and attempt. */
export interface HandlerLog {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

/** What a route's match found in the content. */
export interface RouteMatch {
  /** Name of the route: the configuration's, or the handler's file name without its ending. */
  readonly route: string
  /** The text that matched; empty where the route does not look at the content. */
  readonly text: string
  /** Named groups of the regular expression that took part in the match. */
  readonly groups: Readonly<Record<string, string>>
}

/** What is left of a value in JSON. */
export type JsonOf<Value> = Value extends { toJSON(): infer Json }
  ? JsonOf<Json>
  : Value extends string | number | boolean | null | undefined
    ? Value
    : Value extends bigint | symbol | ((...given: never) => unknown)
      ? never
      : Value extends object
        ? { -readonly [Key in keyof Value]: JsonOf<Value[Key]> }
        : Value

/** What a handler is given beside the clink. */
export interface HandlerContext {
  /** Aborts when the run must end: `signal.reason` is a `HandlerAborted` whose `code` says why. */
  readonly signal: AbortSignal
  /** Aborts when the worker is stopping and the run should finish soon; `signal` follows when it does not. */
  readonly draining: AbortSignal
  /** Which start of a handler for this clink this is, from 1. */
  readonly attempt: number
  /** When the handler's timeout ends, by the wall clock. */
  readonly deadline: Date
  /** The same for every run of this clink, here and in other workers: for the application's own protection. */
  readonly idempotencyKey: string
  readonly log: HandlerLog
  /** How many answers of workers to each other have led to this clink; 0: none. `inbox.maxHops` bounds it. */
  readonly hops: number
  /**
   * The whole Clink API, with the worker's key and session. Calls that claim are refused. What it sends is known as ours: to hand out
   * work that may come back to this inbox, use a client of your own.
   */
  readonly api: ClinkClient
  readonly match: RouteMatch
  /** The values under `with` of the route. */
  readonly with: Readonly<Record<string, unknown>>
  /**
   * What a program that the handler starts needs beside `process.env`, where no key is: `CLINK_API_KEY` and `CLINK_API_URL` where
   * the route says `passKey: true`, otherwise nothing. `spawn(program, { env: { ...process.env, ...ctx.env } })`
   */
  readonly env: Readonly<Record<string, string>>
  /**
   * Sends a clink about this one, for progress: to its `sender` (the default) or to its whole `group`. It is no worker's
   * work. At most 4096 characters. Within a step it is sent once at most, whatever becomes of the step.
   *
   * @returns the id of the clink that was sent; undefined, within a step: an earlier run may have sent it, and nobody knows whether it did.
   * @throws {ClinkApiError} when it was not sent, or may have been (`mayHaveHappened`).
   */
  reply(text: string, options?: { readonly to?: 'sender' | 'group' }): Promise<string | undefined>
  /**
   * Does something once for this clink: what `run` returns is kept before this resolves, and a later run of the handler (after a failure, a
   * crash, a sleep) is given that and does not call `run` again. One that throws is not kept. A name stands for one step, and may be used
   * once in a run. If the run is aborted it throws the reason of `signal`.
   *
   * @param name at most 200 bytes. Under another name it is another step.
   * @returns what JSON makes of what `run` returns: at most 64 KiB, and 1 MiB for all steps of a clink. `undefined` stays that.
   */
  step<Result>(name: string, run: () => Result | Promise<Result>): Promise<JsonOf<Result>>
  /**
   * Ends the run (by throwing: let that pass), and has the handler start again from its top when the time is over: then this returns, and
   * steps that are done are not done again. Meanwhile the clink is held without a slot; it costs no attempt, and goes on over a restart.
   */
  sleep(name: string, duration: Duration | number): Promise<void>
  /** A sign of life, where `handlers.idle` or the route's `idle` ends a run that shows none. `log`, `reply` and `api` are signs as well. */
  keepalive(): void
  /** Return or throw it: the clink goes back to the inbox, and this worker leaves it alone for `retry.cooldown`. */
  release(reason?: string): Control
  /** Return or throw it: the clink is kept and run again after the wait, at least a second; not counted as an attempt. */
  retryAfter(wait: Duration | number, reason?: string): Control
  /** Return or throw it: the clink is given up at once. */
  reject(reason: string): Control
}

/**
 * Anything that can be sent: text as it is, everything else as JSON. An Error counts as thrown. What JSON would make empty (a Map, a Set, a
 * promise that is not awaited, a Response), and NaN, is a failed run that says so.
 */
export type Answer = string | number | boolean | object

/** Nothing: completed without a response. Text or `{ response }`: completed with it. A control: what it says. */
// oxlint-disable-next-line typescript/no-invalid-void-type -- a handler that returns nothing is the common case
export type HandlerResult = void | undefined | null | Answer | { readonly response: Answer } | Control

export type HandleFunction = (clink: Clink, ctx: HandlerContext) => HandlerResult | Promise<HandlerResult>

/** Whose a limit is: each worker's, or one of all workers that share `state.url`. */
type LimitScope = 'worker' | 'fleet'

/** What a handler file exports by default, when it says more than its function. */
export interface HandlerDefinition {
  /** This handler's route. Left out: it takes what no other takes. */
  readonly match?: MatchRule
  /** How long one run may take: `10m`, or milliseconds. */
  readonly timeout?: Duration | number
  /** How long a run may show no sign of life (`ctx.keepalive()`). Left out: as `handlers.idle` says. */
  readonly idle?: Duration | number
  readonly retry?: {
    readonly attempts?: number
    readonly backoff?: Duration | number
    readonly maxBackoff?: Duration | number
  }
  /** How many of its clinks run at the same time. */
  readonly concurrency?: number
  /** How many of the places of the configuration's `concurrency` one clink takes. */
  readonly weight?: number
  /** `60/1m`: most starts, retries included, in any such time. */
  readonly rate?: string | { readonly limit: string; readonly scope?: LimitScope }
  /** One clink of each group, or of each sender, at a time: the next one after it is settled. */
  readonly serial?: 'group' | 'sender' | { readonly by: 'group' | 'sender'; readonly scope?: LimitScope }
  /** The claim is renewed once before the handler starts, which it does only if that worked: for work that is too dear to be lost. */
  readonly renewFirst?: boolean
  /** The API key is in `ctx.env`. */
  readonly passKey?: boolean
  /** `never`: its answers carry no line for other workers, for programs that read them as they are. */
  readonly mark?: 'auto' | 'never'
  /** Where it runs. Left out: where `handlers.runner` says. `thread`: it may use a processor for long. */
  readonly runner?: 'inline' | 'thread'
  handle(this: void, clink: Clink, ctx: HandlerContext): HandlerResult | Promise<HandlerResult>
}

/** Gives `handle` its types. Returns the definition as it is. */
export function defineHandler(handle: HandleFunction): HandlerDefinition
// The compiler explains a mistake by the last overload: the one where there is something to explain.
export function defineHandler(definition: HandlerDefinition): HandlerDefinition
export function defineHandler(definition: HandlerDefinition | HandleFunction): HandlerDefinition {
  return typeof definition === 'function' ? { handle: definition } : definition
}
