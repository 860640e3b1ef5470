import type { Frozen } from '../base/frozen.ts'
import type { ForwardProxy } from '../base/proxy.ts'
import type { Secret } from '../base/secret.ts'
import type { ParsedConfig } from './schema.ts'
import type { ScopedRate, ScopedSerial } from './values.ts'

/** How failed runs are tried again. Times in milliseconds. */
export interface RetryPolicy {
  /** Starts of a handler before the clink is given up, at least 1. */
  readonly attempts: number
  readonly backoff: number
  readonly maxBackoff: number
}

/** An application. */
export interface HttpConfig {
  readonly url: string
  /** What requests are signed with: absolute path, and the path as it was written. */
  readonly secret?: { readonly file: string; readonly written: string; readonly place: Place } | undefined
  /** Milliseconds. */
  readonly connectTimeout: number
  /** Bytes. */
  readonly maxResponse: number
}

/** A program, ready to be started but for what the machine says. */
export interface ExecConfig {
  readonly command: readonly string[]
  /** The program as it was written. */
  readonly written: string
  /** Absolute path. */
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly output: 'text' | 'json' | 'none'
  /** Bytes. */
  readonly maxOutput: number
  /** Where the program was written. */
  readonly place: Place
}

/** Where something of the configuration was written. */
export interface Place {
  /** Absolute path of the file, or what else it comes from. */
  readonly where: string
  readonly line?: number | undefined
  /** Dotted, as `routes[0].use`. */
  readonly key: string
}

/** A route of the configuration. What is left out is the handler's own, then the general setting. */
export interface RouteConfig {
  readonly name: string
  readonly match?: MatchRule | undefined
  /** Left out: a command has made it. */
  readonly place?: Place | undefined
  /** Absolute path of the handler file. Left out: the route has a program, or an application. */
  readonly use?: string | undefined
  readonly exec?: ExecConfig | undefined
  readonly http?: HttpConfig | undefined
  readonly with: Readonly<Record<string, unknown>>
  readonly timeout?: number | undefined
  readonly idle?: number | undefined
  readonly retry?: Partial<RetryPolicy> | undefined
  /** The claim is renewed before the handler starts. */
  readonly renewFirst?: boolean | undefined
  /** The handler is given the API key. */
  readonly passKey?: boolean | undefined
  readonly mark?: 'auto' | 'never' | undefined
  readonly concurrency?: number | undefined
  readonly weight?: number | undefined
  readonly rate?: ScopedRate | undefined
  readonly serial?: ScopedSerial | undefined
  readonly runner?: 'inline' | 'thread' | undefined
}

/** A sender: its id, or its display name, which anyone may take. Globs (`*`, `?`). */
export type SenderRule = string | { readonly name: string }

/** What a route takes. All that is given must hold; a list means any of it; texts are globs (`*`, `?`). */
export interface MatchRule {
  /** Slug or id of the group. */
  readonly group?: string | readonly string[]
  readonly from?: SenderRule | readonly SenderRule[]
  readonly for?: 'me' | 'anyone'
  /** A regular expression with named groups, a prefix, or `{ regex }` as text. */
  readonly content?: RegExp | { readonly prefix: string } | { readonly regex: string }
}

type Parsed = Frozen<ParsedConfig>

/**
 * The configuration after files, environment and flags: complete, checked, frozen. Durations are milliseconds, paths are
 * absolute. Meanings and defaults: `config.example.yaml`.
 */
export interface Config extends Omit<Parsed, 'clink' | 'routes' | 'state'> {
  readonly clink: Omit<Parsed['clink'], 'key'> & {
    readonly key: Secret | null
    /** What requests to the service go through, from the environment. */
    readonly proxy?: ForwardProxy
  }
  /** `isShared`: limits of routes may be those of a fleet. Left out: they may. */
  readonly state: Omit<Parsed['state'], 'url'> & { readonly url: Secret | null; readonly isShared?: boolean }
  readonly routes: readonly RouteConfig[]
}
