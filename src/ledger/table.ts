/** Rows by id: reads are immediate, writes resolve when the row would survive what the store promises to survive. */
export interface Table<Row> {
  readonly size: number
  get(id: string): Row | undefined
  entries(): Iterable<readonly [string, Row]>
  set(id: string, row: Row): Promise<void>
  delete(id: string): Promise<void>
}

export async function dropRows<Row>(table: Table<Row>, isOld: (row: Row, id: string) => boolean): Promise<void> {
  const old = [...table.entries()].filter(([id, row]) => isOld(row, id)).map(([id]) => id)
  await Promise.all(old.map(async (id) => await table.delete(id)))
}
