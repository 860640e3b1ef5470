/** Starts of a handler for one clink. */
export interface Attempts {
  readonly count: number
  readonly errors: readonly string[]
  /** Starts that ended with the process: they do not use up attempts. */
  readonly excused?: number
  /** Starts that went on until the claim ran out, where the service does not renew claims. */
  readonly outlived?: number
  /** Crashes of the process while the clink ran alone. */
  readonly crashes: number
  /** It was running when the process crashed, for the second time in a row: it runs alone until it has ended once. */
  readonly suspect?: boolean
  /** An operator had its dead letter retried: asking once more changes nothing. */
  readonly retried?: true
  /** Wall time of the last change, in milliseconds. */
  readonly at: number
}

/** The leases in which the service failed to take a result to their end, or for as long. */
export interface FailedLeases {
  readonly leases: number
  /** Milliseconds from its first failure to the last one. */
  readonly over: number
}

/** A completion that Clink has not confirmed. */
export interface KeptResult {
  readonly content: string
  readonly response?: string
  readonly leases: FailedLeases['leases']
  /** Wall time, in milliseconds, of the first of their failures. */
  readonly failedAt?: number | undefined
  /** Wall time in milliseconds. */
  readonly at: number
}

/** A clink that is left alone for a while. */
export interface Cooling {
  /** Until when, in wall milliseconds. */
  readonly at: number
  /** For how long it was noted, in milliseconds. */
  readonly for: number
}

/** The starts of a clink's handler, as far as they count, and what they came to. */
export interface Tried {
  readonly starts: number
  readonly errors: readonly string[]
  readonly excused: number
  readonly outlived: number
  readonly crashes: number
  readonly isSuspect: boolean
}

/** What an admission asks about a clink. */
export interface Memory {
  /** This worker sent it. */
  readonly isOwn: boolean
  /** It is a dead letter, also a discarded one. */
  readonly isGivenUp: boolean
  /** It is left alone for a while. */
  readonly isCooling: boolean
}
