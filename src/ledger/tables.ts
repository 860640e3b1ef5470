import type { Row, rows } from './rows.ts'
import type { StepTable } from './step-table.ts'
import type { Keys, Table } from './table.ts'

type Rerun = NonNullable<Row<'letters'>['rerun']>

/** The steps of a rerun that goes on by itself. */
export const OPEN: ReadonlySet<Rerun['step'] | undefined> = new Set(['due', 'running', 'ready', 'sending'])

const stamped = { at: ({ at }: { readonly at: number }) => at }

/** By which numbers rows are found. */
export const tableKeys = {
  attempts: stamped,
  results: stamped,
  late: stamped,
  cooling: stamped,
  own: { at: (time) => time },
  letters: {
    /** Of one that nobody has discarded: when it was given up. */
    at: ({ at, discarded }) => (discarded === true ? undefined : at),
    /** Of one that was discarded: when that was, or when its clink was last seen. */
    gone: ({ at, discarded, seen = at }) => (discarded === true ? Math.max(at, seen) : undefined),
    /** Its clink may wait in the inbox. */
    pending: ({ seen, tell }) => (tell === 'release' || seen !== undefined ? 1 : undefined),
    /** Its clink is to be run again, or the result to be sent. */
    rerun: ({ discarded, rerun }) => (discarded !== true && OPEN.has(rerun?.step) ? 1 : undefined),
  },
  claims: {},
  parked: {},
  audit: {},
  programs: {},
  facts: {},
  untold: {},
} as const satisfies { readonly [Name in keyof typeof rows]: Keys<Row<Name>, string> }

/** All tables of a store. */
export type LedgerTables = {
  readonly [Name in keyof typeof rows]: Table<Row<Name>, keyof (typeof tableKeys)[Name] & string>
} & { readonly steps: StepTable }
