import type { Table } from '../../src/ledger/table.ts'

/** A table in which rows read otherwise than they were written, to break a worker on purpose. */
export function misread<Row, Key extends string>(
  table: Table<Row, Key>,
  read: (row: Row | undefined, id: string) => Row | undefined,
  set: Table<Row, Key>['set'] = async (id, row) => await table.set(id, row),
): Table<Row, Key> {
  function* readAll(rows: Iterable<readonly [string, Row]>): Iterable<readonly [string, Row]> {
    for (const [id, row] of rows) {
      const other = read(row, id)
      if (other !== undefined) yield [id, other]
    }
  }
  return {
    get size() {
      return table.size
    },
    get: (id) => read(table.get(id), id),
    entries: () => readAll(table.entries()),
    between: (key, after, by) => readAll(table.between(key, after, by)),
    count: (key) => table.count(key),
    set,
    delete: async (id) => await table.delete(id),
  }
}

/** A table whose rows `set` writes, by `write` or not at all: to watch what is written, and to take time over it. */
export function writing<Row, Key extends string>(
  table: Table<Row, Key>,
  set: (id: string, row: Row, write: () => Promise<void>) => Promise<void>,
): Table<Row, Key> {
  return misread(
    table,
    (row) => row,
    async (id, row) => await set(id, row, async () => await table.set(id, row)),
  )
}
