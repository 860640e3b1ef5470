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

/** No answer keeps anybody silent for longer than this: what it says may be a mistake, and what was said may be over. */
const LONGEST_ASKED = 3_600_000

/** Milliseconds: a wait, or a longer one where the service asks for it (`Retry-After`), up to an hour. */
export function waitAsAsked(wait: number, asked: number | undefined): number {
  return Math.max(wait, Math.min(asked ?? 0, LONGEST_ASKED))
}
