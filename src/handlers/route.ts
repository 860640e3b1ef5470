import type { Clink } from '../clink/records.ts'
import type { RetryPolicy } from '../config/config.ts'
import type { HandleFunction, RouteMatch } from './handler.ts'
import type { ModuleSnapshot } from './module-snapshot.ts'
import type { IdPattern } from './sender-match.ts'

/** What is executed for a clink. */
export type Target =
  | { readonly is: 'module'; readonly handle: HandleFunction }
  /** A module that runs in a thread of its own, which loads it from the snapshot. `url`: its address there. */
  | { readonly is: 'thread'; readonly url: string; readonly modules: ModuleSnapshot }
  | ProgramTarget
  | UrlTarget

export interface ProgramTarget {
  readonly is: 'program'
  /** The program (an absolute path, or a name to be looked for on PATH) and its arguments. */
  readonly command: readonly string[]
  /** Absolute path. */
  readonly cwd: string
  /** What its environment has beside, or instead of, the worker's. */
  readonly env: Readonly<Record<string, string>>
  /** What its standard output holds: the response, an outcome as JSON, or nothing that matters. */
  readonly output: 'text' | 'json' | 'none'
  /** The most of that which is kept, in bytes. */
  readonly maxOutput: number
}

/** An application that a clink is posted to. */
export interface UrlTarget {
  readonly is: 'url'
  readonly url: string
  /** Absolute path of the secrets with which requests are signed. Left out: they are not. */
  readonly secretFile: string | undefined
  /** Milliseconds. */
  readonly connectTimeout: number
  /** The most of an answer that is kept, in bytes. */
  readonly maxResponse: number
}

/** How much of a route may go on. */
export interface Limits {
  /** How many clinks run at the same time. */
  readonly concurrency?: number | undefined
  /** Starts in any time of so many milliseconds. `fleet`: of all workers together. */
  readonly rate?: { readonly count: number; readonly window: number; readonly scope?: 'fleet' } | undefined
  /** How many seats a clink takes. Default: 1. */
  readonly weight?: number | undefined
  /** One clink of each at a time. */
  readonly serial?: 'group' | 'sender' | undefined
  /** Of `serial`: in all workers together. */
  readonly serialScope?: 'fleet' | undefined
}

/** A handler and what it takes, ready to run: what the configuration says of this route and what the handler says itself are merged. */
export interface Route {
  readonly name: string
  /** Path of the handler file as people write it (relative to where the worker was started), or a name for a built-in. */
  readonly file: string
  /** Counts up with each reload. */
  readonly generation: number
  readonly target: Target
  readonly with: Readonly<Record<string, unknown>>
  /** Milliseconds. What is left out here and in `retry` is the general setting: see `policyOf`. */
  readonly timeout?: number | undefined
  readonly idle?: number | undefined
  readonly retry?: Partial<RetryPolicy>
  /** Undefined: it has none. */
  readonly limits?: Limits | undefined
  /** The claim is renewed before the handler starts on it, which it does only if that worked. */
  readonly renewFirst?: boolean
  /** Its handler is given the API key. */
  readonly passKey?: boolean
  /** `never`: what is sent carries no line for other workers, unless they count hops already. */
  readonly mark?: 'auto' | 'never'
}

export interface RoutedClink {
  readonly route: Route
  readonly match: RouteMatch
  /** Why nobody can tell whether the route takes the clink. Then no route gets the clink, and it is given up. */
  readonly fault?: string
}

/** The route of a clink; undefined: none takes it. A promise only where a pattern has to be tried that may run away. */
export type Routing = RoutedClink | undefined | Promise<RoutedClink | undefined>

/** Finds the route of a clink. The set behind it may be exchanged at any time; what was returned stays valid. */
export interface Router {
  /** Counts up with each exchange of the set. */
  readonly generation: number
  /** The patterns that routes compare with senders' ids. */
  readonly idPatterns?: readonly IdPattern[]
  /** Some route tells groups apart by their slugs. */
  readonly namesGroups?: boolean
  /** There is a route for every clink. */
  readonly takesAll: boolean
  /** All routes there are. */
  readonly routes: readonly Route[]
  /**
   * Rejects where a pattern could not be tried.
   *
   * @param identity our own user or agent profile id, where it is known (`for: me`).
   */
  find(clink: Clink, identity: string | undefined): Routing
}
