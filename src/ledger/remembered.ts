import type { Clink } from '../clink/records.ts'
import type { Row } from './rows.ts'

export type Attempts = Row<'attempts'>
export const NONE: Attempts = { count: 0, errors: [], crashes: 0, at: 0 }
export type KeptResult = Row<'results'>

/** What is kept of a clink that was run again, and whose sender has the result. */
export function sentResult({ content }: Pick<Clink, 'content'>, at: number): KeptResult {
  return { content, leases: 0, isSent: true, at }
}
export type HeldClaim = Row<'claims'>['claim']
export type ParkedClaim = Row<'parked'>

/** The leases in which the service failed to take a result to their end, or for as long. */
export interface FailedLeases {
  readonly leases: number
  /** Milliseconds from its first failure to the last one. */
  readonly over: number
}

/** The starts of a clink's handler, as far as they count, and what they came to. */
export interface Tried {
  readonly starts: number
  readonly errors: readonly string[]
  readonly excused: number
  readonly released: number
  readonly outlived: number
  readonly crashes: number
  readonly isSuspect: boolean
}

/** A rerun that a member of a fleet has begun: when its letter was given up, and who has. */
export interface Begun {
  readonly letter: number
  readonly by: string
}
