import type { QueryResultRow } from 'pg'
import type { FleetPause } from '../ledger/fleet.ts'
import { fromJsonb } from './jsonb-text.ts'
import { isNote } from './notes-here.ts'
import { pauseOf } from './pauses.ts'
import type { Note } from './store.ts'

/** None where it is something else, or of a later version. */
export function noteOf({ id, kind, rest, row }: QueryResultRow): Note[] {
  if (typeof kind !== 'string' || !isNote(kind)) return []
  const [left, text] = [typeof rest === 'number' ? { left: rest } : {}, orNull(row)]
  return [{ kind, id: String(id), row: text === null ? null : fromJsonb(text), ...left }]
}

export function pauseIn({ rest, row, since }: QueryResultRow): FleetPause[] {
  if (typeof row !== 'string' || since === null) return []
  return pauseOf(fromJsonb(row), Number(since), rest === null ? undefined : Number(rest))
}

/** What members have found out about siblings, with the address of the service. */
export function siblingsIn({ id, kind, row }: QueryResultRow): [url: string, verdict: string][] {
  return kind === 'siblings' && typeof row === 'string' ? [[String(id), row]] : []
}

/** Other members, with the milliseconds since each showed itself. */
export function memberIn({ id, kind, rest }: QueryResultRow): [member: string, age: number][] {
  return kind === 'member' ? [[String(id), Number(rest)]] : []
}

export function orNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
