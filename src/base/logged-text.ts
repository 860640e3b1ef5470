import { inspect } from 'node:util'
import { cutText, LONGEST } from './cut-text.ts'

/** What is logged need not be text, and may be anything. */
export function inspected(value: unknown): string {
  return inspect(value, { depth: 1, customInspect: false, maxStringLength: LONGEST.error })
}

/** A message of the log, whatever it was given as: handlers need not be checked by a compiler. */
export function loggedText(message: unknown): string {
  return cutText(typeof message === 'string' ? message : inspected(message), LONGEST.error)
}
