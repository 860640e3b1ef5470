import type { ForwardProxy } from '../base/proxy.ts'
import type { Secret } from '../base/secret.ts'

/** A rate: so many in so many milliseconds. `30/10m` is `{ count: 30, window: 600_000 }`. */
export interface Rate {
  readonly count: number
  readonly window: number
}

/** How failed runs are tried again. Times in milliseconds. */
export interface RetryPolicy {
  /** Starts of a handler before the clink is given up, at least 1. */
  readonly attempts: number
  readonly backoff: number
  readonly maxBackoff: number
}

/** A route of the configuration. What is left out is the handler's own, then the general setting. */
export interface RouteConfig {
  readonly name: string
  readonly match?: MatchRule
  /** Absolute path of the handler file. */
  readonly use: string
  readonly with: Readonly<Record<string, unknown>>
  readonly timeout?: number
  readonly retry?: Partial<RetryPolicy>
  /** The handler is given the API key. */
  readonly passKey?: boolean
  readonly mark?: 'auto' | 'never'
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

/**
 * The configuration after files, environment and flags: complete, checked, frozen. Durations are milliseconds, paths are
 * absolute. Meanings and defaults: `config.example.yaml`.
 */
export interface Config {
  readonly clink: {
    readonly url: string
    readonly key: Secret | null
    readonly keyFile: string | null
    /** `auto`, or the first part of the session id. */
    readonly session: string
    /** `auto`, or our own user or agent profile id. */
    readonly identity: string
    readonly timeout: number
    /** What requests to the service go through, from the environment. */
    readonly proxy?: ForwardProxy
  }
  readonly inbox: {
    readonly for: 'me' | 'open' | 'anyone'
    readonly groups: readonly string[]
    readonly ignore: readonly SenderRule[]
    readonly maxAge: number | null
    readonly claim: 'auto' | 'batch' | 'select'
    readonly ownReplies: 'leave' | 'acknowledge'
    readonly maxHops: number
    readonly loopLimit: Rate | null
  }
  readonly poll: {
    readonly interval: number
    readonly maxInterval: number
    readonly warm: { readonly interval: number; readonly for: number }
    readonly sweep: number
  }
  readonly claim: {
    readonly timeout: number
    readonly maxHold: number
    readonly exclusive: boolean
    readonly trustRenewals: boolean
  }
  readonly concurrency: number
  readonly handlers: {
    readonly directory: string
    readonly watch: boolean
    readonly runner: 'inline'
    readonly timeout: number
    readonly grace: number
  }
  readonly routes: readonly RouteConfig[]
  readonly retry: RetryPolicy & {
    readonly cooldown: number
    readonly crashes: number
    /** Milliseconds of a pause of a route for which failures cost no attempt. */
    readonly outage: number
    readonly onExhausted: 'release' | 'complete'
  }
  readonly replies: { readonly mark: string }
  readonly shutdown: { readonly timeout: number; readonly drain: number }
  readonly state: { readonly directory: string; readonly sync: 'normal' | 'full'; readonly keep: number }
  readonly server: {
    readonly enabled: boolean
    readonly host: string
    readonly port: number
    readonly tokenFile: string | null
    readonly allowedHosts: readonly string[]
  }
  readonly log: {
    readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'
    readonly format: 'auto' | 'pretty' | 'json'
    readonly content: boolean
  }
}
