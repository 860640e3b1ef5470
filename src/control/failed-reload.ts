import { textLines } from '../base/text-lines.ts'
import type { Status } from './status.ts'

/** What names all that is wrong, and what the next start would come to. */
export const CHECK = 'clink-worker check'

/** For people: that a restart would take another key than the one in use, and what looks at that one. */
export function unusedKey({ unused }: Status['key']): NonNullable<Status['next']> | null {
  if (unused === null) return null
  return { why: `the key in use is not the one in the key file: ${unused}`, command: 'clink-worker check --online' }
}

/** For people, in one line: what is wrong first. */
export function failedReload({ problem }: Pick<NonNullable<Status['reload']>, 'problem'>): string {
  const [first = '', ...others] = textLines(problem)
  const more = others.length === 0 ? '' : `; and ${others.length} more`
  return `the last reload failed, and what was in use before stays: ${first}${more}`
}
