import { isDeepStrictEqual } from 'node:util'
import { Signal } from '../base/signal.ts'
import { tryTo } from '../base/try-to.ts'
import type { DeadLetter } from '../ledger/dead-letters.ts'
import { rows, type Row } from '../ledger/rows.ts'
import type { Table } from '../ledger/table.ts'
import type { LedgerTables } from '../ledger/tables.ts'
import type { Change } from './changes.ts'
import type { Exchange } from './exchange.ts'
import { NOTES, type Batch, type Note, type NoteKind } from './store.ts'

/** Milliseconds that an answer of the store may take: by so much an end that is read again may seem earlier. */
const SAME = 2_000

/** The rows that all members share, as this process has them: a copy of what it has read, and what it has changed itself. */
export class NotesHere {
  /** Another member had it run again. */
  readonly gone = new Signal<[clinkId: string]>()
  onLetter: (clinkId: string, letter: DeadLetter | undefined) => void = () => {}
  readonly #tables: Pick<LedgerTables, NoteKind>
  readonly #exchange: Exchange

  readonly #wall: () => number

  constructor(tables: Pick<LedgerTables, NoteKind>, exchange: Exchange, wall: () => number) {
    this.#wall = wall
    this.#tables = tables
    this.#exchange = exchange
  }

  /** How it is here, to be written there. @param now in milliseconds of the exchange. */
  compile({ changedAt, edit, id, isNew = false, kind }: Change, now: number): Batch['notes'] {
    if (kind === 'part' || kind === 'step') return []
    const age = changedAt === undefined ? undefined : now - changedAt
    const row: unknown = kind === 'cooling' ? this.#cooling(id, age) : this.#tables[kind].get(id)
    return [{ kind, id, row: row === undefined ? null : JSON.stringify(row), isNew, edit }]
  }

  /** The fleet was told of changes, asked at that moment: of letters, which others change as well, it says what has come of both. */
  told(changes: readonly Change[], notes: readonly Note[], asked: number): void {
    const ids = changes.flatMap(({ id, kind }) => (kind === 'letters' ? [id] : []))
    this.take(notes, asked, ids, ['letters'])
  }

  /**
   * Takes what the fleet knows.
   *
   * @param asked what has changed here since then is newer.
   * @param among of these clinks, or as a whole, what is not among the notes is gone.
   */
  take(
    notes: readonly Note[],
    asked: number,
    among: readonly string[] | 'whole' = [],
    kinds: readonly ('letters' | 'cooling')[] = among === 'whole' ? ['letters'] : ['letters', 'cooling'],
  ): void {
    const named = new Set(notes.map(({ id, kind }) => `${kind} ${id}`))
    for (const note of notes) if (!this.#exchange.hasChanged(note, asked)) this.#takeOne(note)
    const ids = among === 'whole' ? [...this.#tables.letters.entries()].map(([id]) => id) : among
    for (const id of ids)
      for (const kind of kinds) {
        const isGone = !named.has(`${kind} ${id}`) && !this.#exchange.hasChanged({ kind, id }, asked)
        if (isGone) this.#takeOne({ kind, id, row: null })
      }
  }

  /**
   * What is left of it now: the store counts that from when it is told, since members have clocks of their own.
   *
   * @param age milliseconds for which it has cooled, whatever became of the wall clock; undefined: only that one tells.
   */
  #cooling(id: string, age: number | undefined): Row<'cooling'> | undefined {
    const row = this.#tables.cooling.get(id)
    if (row === undefined) return undefined
    const left = age === undefined ? Math.min(row.at - this.#wall(), row.for) : row.for - age
    return { at: row.at, for: Math.max(0, Math.round(left)) }
  }

  /** By the clock here. Read again, it is hardly another time, which is not written; but a later one may be another cooling, however short. */
  #cools(id: string, left: number): void {
    const { cooling } = this.#tables
    const [before, at] = [cooling.get(id), this.#wall() + left]
    if (left <= 0) {
      if (before !== undefined) void cooling.delete(id)
    } else if (before === undefined || at > before.at || before.at - at > SAME) void cooling.set(id, { at, for: left })
  }

  #takeOne({ id, kind, left, row }: Note): void {
    if (kind === 'cooling' && left !== undefined && row !== null) return this.#cools(id, left)
    const isLetter = kind === 'letters'
    const before: unknown = this.#tables[kind].get(id)
    if (row === null ? before === undefined : JSON.stringify(before) === row) return
    const now = row === null ? undefined : tryTo((): unknown => JSON.parse(row))
    // Some stores give the keys of a row in an order of their own.
    if (row !== null && isDeepStrictEqual(before, now)) return
    if (row === null) void this.#tables[kind].delete(id)
    else if (isLetter) keep(this.#tables.letters, id, rows.letters.safeParse(now).data)
    else if (kind === 'cooling') keep(this.#tables.cooling, id, rows.cooling.safeParse(now).data)
    else if (kind === 'own') keep(this.#tables.own, id, rows.own.safeParse(now).data)
    else keep(this.#tables.audit, id, rows.audit.safeParse(now).data)
    if (!isLetter) return
    this.onLetter(id, this.#tables.letters.get(id))
    if (row === null) this.gone.say(id)
  }
}

/** What no version of this program has written is not believed. */
function keep<Row>(table: Pick<Table<Row>, 'set'>, id: string, row: Row | undefined): void {
  if (row !== undefined) void table.set(id, row)
}

export const isNote = (kind: string): kind is NoteKind => NOTES.some((one) => one === kind)
