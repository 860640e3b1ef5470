import type { Table } from '../../src/ledger/table.ts'

/** A table in which rows read otherwise than they were written, to break a worker on purpose. */
export function misread<Row>(
  table: Table<Row>,
  read: (row: Row | undefined, id: string) => Row | undefined,
): Table<Row> {
  return {
    size: table.size,
    get: (id) => read(table.get(id), id),
    *entries() {
      for (const [id, row] of table.entries()) {
        const other = read(row, id)
        if (other !== undefined) yield [id, other]
      }
    },
    set: async (id, row) => await table.set(id, row),
    delete: async (id) => await table.delete(id),
  }
}
