/** Uniform in [0, 1), as an argument, so that a test or a simulation decides it. */
export type Random = () => number

export interface BackoffPolicy {
  /** Milliseconds: the longest first wait. */
  readonly base: number
  /** Milliseconds: no wait is longer. */
  readonly max: number
}

/** The ceiling of wait number `count` (from 1): doubles from `base` to `max`. */
function backoffCeiling(count: number, policy: BackoffPolicy): number {
  return Math.min(policy.max, policy.base * 2 ** Math.min(count - 1, 40))
}

/** Full jitter: anything from nothing to the ceiling, so that workers that failed together do not come back together. */
export function fullJitter(count: number, policy: BackoffPolicy, random: Random): number {
  return backoffCeiling(count, policy) * random()
}

/** Equal jitter: at least half the ceiling, for waits that must not be next to nothing. */
export function equalJitter(count: number, policy: BackoffPolicy, random: Random): number {
  return backoffCeiling(count, policy) * (0.5 + random() / 2)
}
