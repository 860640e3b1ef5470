import { editsOf, type LetterEdit } from './letter-edits.ts'
import type { Batch, NoteKind } from './store.ts'

/** Something here of which the fleet does not know how it is now. */
export interface Change {
  readonly kind: NoteKind | 'part' | 'step'
  readonly id: string
  /** Of a part: those of all members count no more. */
  readonly isOver?: boolean
  /** Of a part that is over: when a write of that was sent first of which it is not known whether it was carried out, in milliseconds of the exchange. */
  readonly triedAt?: number | undefined
  /** Of a note: it is none that another member may have removed. Of a part: it begins, with a start or with what is left of one that is over. */
  readonly isNew?: boolean
  /** When it was changed here last, in milliseconds of the exchange; undefined: by an earlier process. */
  readonly changedAt?: number | undefined
  /** Of a letter. */
  readonly edit?: LetterEdit | undefined
}

export interface Wanted extends Change {
  readonly dueAt: number
}

export function keyOf({ id, kind }: Pick<Change, 'id' | 'kind'>): string {
  return `${kind} ${id}`
}

/** What has changed, and what has changed of the same since. */
export function asOne(first: Wanted, next: Wanted): Wanted {
  const { id, kind } = first
  return {
    kind,
    id,
    isOver: first.isOver === true || next.isOver === true,
    isNew: first.isNew === true || next.isNew === true,
    // What is over anew takes all that was done until now.
    triedAt: next.isOver === true ? next.triedAt : first.triedAt,
    changedAt: next.changedAt ?? first.changedAt,
    edit: editsOf(first.edit, next.edit),
    dueAt: Math.min(first.dueAt, next.dueAt),
  }
}

/** A write of it, sent at that moment, has failed, and may have been carried out. */
export function hasFailed(change: Wanted, sentAt: number): Wanted {
  return change.isOver === true ? { ...change, triedAt: change.triedAt ?? sentAt } : change
}

/** Of parts: which are over, and of those that an earlier write may have told of already, for how long that is so. */
export function overOf(parts: readonly Change[], now: number): Pick<Batch, 'over' | 'overFor'> {
  const over = parts.filter(({ isOver }) => isOver)
  const tried = over.flatMap(({ id, triedAt }) => (triedAt === undefined ? [] : [[id, now - triedAt] as const]))
  return { over: over.map(({ id }) => id), ...(tried.length > 0 && { overFor: new Map(tried) }) }
}
