/**
 * When a change of a key takes effect: for what is done from then on; for clinks that are claimed or run again from then on, while those in
 * hand keep what they began with; or when the worker starts again.
 */
export type TakesEffect = 'at-once' | 'new-deliveries' | 'restart'

export interface Rows {
  readonly [key: string]: TakesEffect | Rows
}

const NOW = 'at-once'
const NEXT = 'new-deliveries'
const START = 'restart'

/** Every key of the schema. Those that bind each other (`relations.ts`) take effect together. */
// prettier-ignore
export const TAKES_EFFECT = {
  clink: { url: START, key: START, keyFile: START, session: START, identity: START, timeout: START },
  inbox: { for: NOW, groups: NOW, ignore: NOW, maxAge: NOW, claim: NOW, ownReplies: NOW, maxHops: NOW, loopLimit: NOW },
  poll: { interval: NOW, maxInterval: NOW, warm: { interval: NOW, for: NOW }, sweep: NOW },
  claim: { timeout: NEXT, maxHold: NEXT, exclusive: START, trustRenewals: NEXT },
  concurrency: NOW,
  handlers: { directory: NEXT, watch: START, runner: NEXT, threads: NOW, threadMemory: NOW, timeout: NEXT, idle: NEXT, grace: NEXT },
  routes: NEXT,
  retry: { attempts: NEXT, backoff: NEXT, maxBackoff: NEXT, cooldown: NEXT, crashes: START, outage: NOW, onExhausted: NEXT },
  replies: { mark: NOW },
  shutdown: { timeout: NOW, drain: NOW },
  state: { directory: START, sync: START, keep: NOW, url: START, urlFile: START, fleet: START },
  server: { enabled: START, host: START, port: START, tokenFile: START, allowedHosts: START, pickupSlo: NOW },
  log: { level: NOW, format: START, content: NOW, keep: { perClink: NOW, for: NOW, total: NOW } },
} as const satisfies Rows
