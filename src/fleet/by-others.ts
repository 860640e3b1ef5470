import { tryTo } from '../base/try-to.ts'
import { ERRORS_KEPT } from '../ledger/attempt-notes.ts'
import type { ByOthers } from '../ledger/fleet.ts'
import type { Attempts, KeptResult } from '../ledger/remembered.ts'
import { rows } from '../ledger/rows.ts'
import type { LedgerTables } from '../ledger/tables.ts'
import type { Change } from './changes.ts'
import type { Batch, Recalled } from './store.ts'

/** What others have done, as a sum. */
export function byOthers(parts: Recalled['parts']): ByOthers | 'none' {
  const all = parts.flatMap(({ attempts, member }) => {
    const { data } = rows.attempts.safeParse(read(attempts))
    return data === undefined ? [] : [{ ...data, member }]
  })
  const result = parts
    .map((part): KeptResult | undefined => rows.results.safeParse(read(part.result)).data)
    .find(Boolean)
  if (all.length === 0 && result === undefined) return 'none'
  const sum = (of: (one: Attempts) => number | undefined): number =>
    all.reduce((before, one) => before + (of(one) ?? 0), 0)
  const isRetried = all.some(({ retried }) => retried)
  all.sort((a, b) => a.at - b.at)
  const attempts = {
    count: sum(({ count }) => count),
    excused: sum(({ excused }) => excused),
    outlived: sum(({ outlived }) => outlived),
    released: sum(({ released }) => released),
    errors: all.flatMap(({ errors }) => errors).slice(-ERRORS_KEPT),
    ...(isRetried && { retried: true as const }),
  }
  const overLetters = all.filter(({ count, letter }) => letter !== undefined && count > 0)
  const begun = overLetters.flatMap(({ letter, member: by, stoodBack }) =>
    letter !== undefined && stoodBack === undefined ? [{ letter, by }] : [],
  )
  return { attempts, begun, overLetters, ...(result !== undefined && { result }) }
}

function read(text: string | null): unknown {
  return text === null ? undefined : tryTo((): unknown => JSON.parse(text))
}

/** What a member tells of what it has done with clinks. */
export function partsOf(tables: LedgerTables, changes: readonly Change[]): Batch['parts'] {
  return changes.flatMap(({ id: clink, isNew = false, isOver = false }) => {
    const row = tables.claims.get(clink)
    const attempts = row?.attempts ?? tables.attempts.get(clink)
    const result = row?.result ?? tables.results.get(clink)
    if (attempts === undefined && result === undefined) return []
    return [{ clink, attempts: textOf(attempts), result: textOf(result), isNew: isNew || isOver }]
  })
}

function textOf(row: object | undefined): string | null {
  return row === undefined ? null : JSON.stringify(row)
}
