import { cutText, LONGEST } from '../base/cut-text.ts'
import type { Attempts } from './remembered.ts'

/** What a start of a handler has come to, as far as a later start has to know it. */
export type AttemptNote =
  /** It failed. `countsAttempt` false: as if it had not been started. */
  | { readonly is: 'error'; readonly message: string; readonly countsAttempt: boolean }
  /** Its handler gave the clink back: it counts, and other members of a fleet are to know what came of it. */
  | { readonly is: 'given-back-by-handler' }
  /** It was cut short, or must not count. */
  | { readonly is: 'not-counted' }
  /** It went on until the claim ran out, and the service does not renew it. */
  | { readonly is: 'outlived' }
  /** The process ended while it ran: it does not count against the clink. */
  | { readonly is: 'excused' }
  /** The same, of a start that was taken back when the process was about to end. */
  | { readonly is: 'given-back' }
  /** The process crashed, and was about to for the second time: from now on the clink runs alone. */
  | { readonly is: 'suspect' }
  /** The process crashed while the clink ran alone. */
  | { readonly is: 'crashed' }
  /** The clink ended once without taking the process with it. */
  | { readonly is: 'survived' }

export const ERRORS_KEPT = 10

/** What a note changes. Undefined: nothing. */
export function changeBy(note: AttemptNote, attempts: Attempts): Partial<Attempts> | undefined {
  const {
    count,
    crashes,
    errors,
    excused = 0,
    isTakenBack = false,
    outlived = 0,
    released = 0,
    suspect = false,
  } = attempts
  const less = { count: Math.max(0, count - 1), isTakenBack: true } as const
  switch (note.is) {
    case 'error': {
      const noted = { errors: [...errors, cutText(note.message, LONGEST.error)].slice(-ERRORS_KEPT) }
      return note.countsAttempt ? noted : { ...noted, ...less }
    }
    case 'given-back-by-handler':
      return { released: released + 1 }
    case 'not-counted':
      return less
    case 'outlived':
      return { outlived: outlived + 1 }
    case 'excused':
      // Where the start does not count, or none does, as of a clink that became a dead letter just before, there is none to excuse: another
      // one would be excused in its place.
      return excused < count && !isTakenBack ? { excused: excused + 1 } : undefined
    case 'given-back':
      return { count: count + 1, excused: excused + 1 }
    case 'suspect':
      return { suspect: true }
    case 'crashed':
      return { crashes: crashes + 1 }
    case 'survived':
      return suspect ? { suspect: false, crashes: 0 } : undefined
  }
}
