import { CodedError } from '../../base/coded-error.ts'
import { LONGEST_PAUSE } from '../../control/requests.ts'
import { positiveDuration } from '../terminal/settings.ts'

/** Milliseconds of `--for`; undefined: until somebody ends it. */
export function lastsOf({ for: text }: { readonly for?: string }): number | undefined {
  if (text === undefined) return undefined
  const lasts = positiveDuration('--for', text, '30s, 10m, 1h')
  if (lasts > LONGEST_PAUSE) throw new CodedError('USAGE', '--for: a year is the longest')
  return lasts
}
