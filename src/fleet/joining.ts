import { steadyOf, type Clock } from '../base/clock.ts'
import { JOINED } from '../ledger/fleet.ts'
import { PAUSES } from '../ledger/pauses.ts'
import type { LedgerTables } from '../ledger/tables.ts'
import { keyOf, type Change } from './changes.ts'
import { notedEdit } from './letter-edits.ts'
import { isNote } from './notes-here.ts'
import type { ReadPauses } from './pauses.ts'
import type { SharedStore } from './store.ts'

/** The fact that says up to where this member has read what others have changed. */
export const SEEN = 'fleet seen'
/** The fact that says which store this member has told what it remembers. */
const TOLD = 'fleet store'

/**
 * The fleet is to know all that was remembered without it.
 *
 * @param home which fleet, and where it remembers.
 * @param member whose directory it is.
 */
export function markAll(local: LedgerTables, home: string, member: string): void {
  const { attempts, audit, claims, cooling, facts, letters, own, results, untold } = local
  const shared = { part: [attempts, claims, results], cooling: [cooling], own: [own], audit: [audit] }
  for (const [kind, tables] of Object.entries(shared))
    for (const table of tables) for (const [id] of table.entries()) void untold.set(`${kind} ${id}`, 2)
  for (const [id, letter] of letters.entries()) {
    const { at, rerun } = letter
    // One that a worker alone was asked for is nobody else's.
    if (rerun !== undefined) void letters.set(id, { ...letter, rerun: { by: member, ...rerun } })
    void untold.set(`letters ${id}`, { born: `${member} ${at}`, keys: [], was: [] })
  }
  // Elsewhere other pauses stand.
  if (facts.get(JOINED) !== home) void facts.delete(PAUSES.fleet)
  void facts.set(JOINED, home)
  void facts.set(SEEN, '')
}

/** The next start tells the fleet of it, unless this process does. That one is new stays so until it was told. */
export function markOne({ untold }: Pick<LedgerTables, 'untold'>, change: Change): void {
  const key = keyOf(change)
  const before = untold.get(key)
  const isNew = change.isNew === true && typeof before !== 'object'
  void untold.set(key, isNew ? 2 : (before ?? 1))
}

/** Likewise that the parts of all members were over at that wall time. */
export function markOver({ untold }: Pick<LedgerTables, 'untold'>, id: string, at: number): void {
  void untold.set(keyOf({ kind: 'part', id }), { over: at })
}

/**
 * Makes what is missing in the store. One that was made anew under the old address knows nothing of what it was told: it is told what is paused, before anybody
 * reads that there, and the rest is marked.
 *
 * @returns whether it was made anew.
 */
export async function prepareStore(
  { local, member, store }: { readonly local: LedgerTables; readonly member: string; readonly store: SharedStore },
  home: string,
  paused: Pick<ReadPauses, 'remembered'>,
): Promise<boolean> {
  const made = await store.prepare()
  const before = local.facts.get(TOLD)
  const isAnew = before !== undefined && before !== made
  if (isAnew) {
    await store.tellPauses(paused.remembered)
    markAll(local, home, member)
  }
  if (before !== made) void local.facts.set(TOLD, made)
  return isAnew
}

/** What the tables say of clinks the member has told that they were copied from. */
export function forgetOwner({ attempts, claims, facts, results, untold }: LedgerTables): void {
  void facts.delete(PAUSES.fleet)
  for (const table of [attempts, results, untold]) for (const [id] of table.entries()) void table.delete(id)
  for (const [id, { claim }] of claims.entries()) void claims.set(id, { claim })
}

/** What the fleet was not told yet, or may not have been: parts that are over leave what others have done since then. */
export function untoldOf({ untold }: Pick<LedgerTables, 'untold'>, clock: Clock): readonly Change[] {
  const now = steadyOf(clock).now()
  return [...untold.entries()].flatMap(([key, is]): Change | Change[] => {
    const end = key.indexOf(' ')
    const [kind, id] = [key.slice(0, end), key.slice(end + 1)]
    if (typeof is === 'object' && 'over' in is)
      return kind === 'part' ? { kind, id, isOver: true, triedAt: now - Math.max(0, clock.wall() - is.over) } : []
    const edit = notedEdit(is)
    const isNew = is === 2 || edit?.born !== undefined
    return kind === 'part' || isNote(kind) ? [{ kind, id, isNew, edit }] : []
  })
}
