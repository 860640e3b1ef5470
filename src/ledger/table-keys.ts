import { letterKeys } from './dead-letters.ts'
import type { LateResult } from './late-results.ts'
import type { Attempts, Cooling, KeptResult } from './remembered.ts'
import type { Keys } from './table.ts'

const stamped = { at: ({ at }: { readonly at: number }) => at }

/** By which numbers rows are found. */
export const tableKeys = {
  attempts: stamped satisfies Keys<Attempts, 'at'>,
  results: stamped satisfies Keys<KeptResult, 'at'>,
  late: stamped satisfies Keys<LateResult, 'at'>,
  cooling: stamped satisfies Keys<Cooling, 'at'>,
  own: { at: (time: number) => time },
  letters: letterKeys,
} as const

/** Names of the keys of a table. */
export type KeyOf<Name extends keyof typeof tableKeys> = keyof (typeof tableKeys)[Name] & string
