import type { Config, RetryPolicy } from '../config/config.ts'
import type { Route, RoutedClink } from './route.ts'

/** What a delivery goes by from its beginning to its end. Times in milliseconds. */
export interface Policy {
  readonly retry: RetryPolicy & Pick<Config['retry'], 'cooldown' | 'onExhausted'>
  /** The most that a clink may be held in all. */
  readonly maxHold: number
  /** The most that one run may take. */
  readonly timeout: number
  /** From an abort until the handler counts as stuck. */
  readonly grace: number
}

/** A clink with what its delivery goes by. */
export interface PlannedClink extends RoutedClink {
  readonly policy: Policy
}

/** The route's own settings, then the general ones as they are now. */
export function policyOf(route: Pick<Route, 'retry' | 'timeout'>, { claim, handlers, retry: general }: Config): Policy {
  const retry = { ...general, ...route.retry }
  const { grace, timeout } = handlers
  return {
    // A longer first wait than the general limit was meant.
    retry: { ...retry, maxBackoff: Math.max(retry.backoff, retry.maxBackoff) },
    maxHold: claim.maxHold,
    timeout: route.timeout ?? timeout,
    grace,
  }
}
