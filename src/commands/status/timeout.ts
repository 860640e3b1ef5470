import { positiveDuration } from '../terminal/settings.ts'

/** Milliseconds; undefined: it was not said. */
export function timeoutOf({ timeout }: { readonly timeout?: string }): number | undefined {
  return timeout === undefined ? undefined : positiveDuration('--timeout', timeout, '5s')
}
