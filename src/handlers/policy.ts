import type { Config } from '../config/config.ts'
import type { Route, RoutedClink } from './route.ts'

/** What a delivery goes by from its beginning to its end. */
export type Policy = ReturnType<typeof policyOf>

/** A clink with what its delivery goes by. */
export interface PlannedClink extends RoutedClink {
  readonly policy: Policy
}

/** The route's own settings, then the general ones as they are now. */
export function policyOf(
  route: Pick<Route, 'idle' | 'retry' | 'timeout'>,
  { claim, handlers, retry: general }: Config,
) {
  const retry = { ...general, ...route.retry }
  // A longer first wait than the general limit was meant.
  const maxBackoff = Math.max(retry.backoff, retry.maxBackoff)
  const { grace } = handlers
  const [timeout, idle] = [route.timeout ?? handlers.timeout, route.idle ?? handlers.idle]
  return { retry: { ...retry, maxBackoff }, maxHold: claim.maxHold, timeout, idle, grace }
}
