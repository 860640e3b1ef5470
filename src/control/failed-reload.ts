import { textLines } from '../base/text-lines.ts'
import type { Status } from './status.ts'

/** What names all that is wrong, and what the next start would come to. */
export const CHECK = 'clink-worker check'

/** For people, in one line: what is wrong first. */
export function failedReload({ problem }: Pick<NonNullable<Status['reload']>, 'problem'>): string {
  const [first = '', ...others] = textLines(problem)
  const more = others.length === 0 ? '' : `; and ${others.length} more`
  return `the last reload failed, and what was in use before stays: ${first}${more}`
}
