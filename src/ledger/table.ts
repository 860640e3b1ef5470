/**
 * Rows by id: reads are immediate, writes resolve when the row would survive what the store promises to survive.
 *
 * A row may have numbers by which it is found without a look at the others. `Keys` computes them.
 */
export interface Table<Row, Key extends string = never> {
  readonly size: number
  get(id: string): Row | undefined
  /** All, the oldest first, but for those that were written just now. Whoever goes through them may change rows meanwhile: one that is set may come once more. */
  entries(): Iterable<readonly [string, Row]>
  /**
   * Rows whose key is above `after` and not above `by`. A table in a file gives the lowest key first, except for rows
   * that were written just now.
   */
  between(key: Key, after: number, by: number): Iterable<readonly [string, Row]>
  /** How many rows have the key. */
  count(key: Key): number
  set(id: string, row: Row): Promise<void>
  delete(id: string): Promise<void>
  /** Of a table that others share: as `delete`, for this process only. Absent: the table is nobody else's. */
  forget?(id: string): Promise<void>
}

/** Of a write that changes nothing. */
export const DONE: Promise<void> = Promise.resolve()

/**
 * Resolves when all of these writes have. Those of one turn are one commit, of which there is one promise: then that is returned, since each
 * promise more is paid for with every clink.
 */
export function together(...writes: readonly (Promise<void> | undefined)[]): Promise<void> {
  const open: Promise<void>[] = []
  for (const write of writes) if (write !== undefined && write !== DONE && write !== open[0]) open.push(write)
  return open.length > 1 ? Promise.all(open).then(() => {}) : (open[0] ?? DONE)
}

/** Computes the keys of a row; undefined: the row is not found by that key. */
export type Keys<Row, Key extends string> = Readonly<Record<Key, (row: Row) => number | undefined>>

export function hasBetween<Key extends string>(
  table: Table<unknown, Key>,
  key: Key,
  after: number,
  by: number,
): boolean {
  for (const _ of table.between(key, after, by)) return true
  return false
}

/** So many rows are dropped in one turn, in so many turns: what is left is dropped the next time. */
const AT_ONCE = 1_000
const TURNS = 20

/** Drops rows of which the key is not above `by`, unless they are to stay: what is old here may be new to others. @returns whether that was all of them. */
export async function dropUntil<Row, Key extends string>(
  table: Pick<Table<Row, Key>, 'between' | 'delete' | 'forget'>,
  key: Key,
  by: number,
  stays: (row: Row, id: string) => boolean = () => false,
): Promise<boolean> {
  for (let turn = 0; turn < TURNS; turn += 1) {
    const old: string[] = []
    for (const [id, row] of table.between(key, -Infinity, by)) {
      if (!stays(row, id)) old.push(id)
      if (old.length === AT_ONCE) break
    }
    await Promise.all(old.map(async (id) => await (table.forget?.(id) ?? table.delete(id))))
    if (old.length < AT_ONCE) return true
  }
  return false
}
