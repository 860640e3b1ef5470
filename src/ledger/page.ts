/** A place in a list that is ordered by time: after this entry. */
export interface Place {
  readonly at: number
  readonly id: string
}

export interface Page<Row> {
  readonly rows: readonly Row[]
  /** Where the next page begins; undefined: this was the last. */
  readonly next?: Place
}

const MOST_ROWS = 500
/** A page ends at about so many characters: writing more at once would keep the worker from everything else. */
const MOST_TEXT = 2_000_000

/** @param place of a row in the list. */
export function pageOf<Row>(rows: readonly Row[], after: Place | undefined, place: (row: Row) => Place): Page<Row> {
  const order = (a: Place, b: Place): number => a.at - b.at || (a.id < b.id ? -1 : Number(a.id > b.id))
  const places = rows.map((row) => ({ row, place: place(row) }))
  const rest = places.filter((one) => after === undefined || order(one.place, after) > 0)
  rest.sort((a, b) => order(a.place, b.place))
  let end = 0
  for (let text = 0; end < Math.min(rest.length, MOST_ROWS) && text < MOST_TEXT; end += 1) {
    text += JSON.stringify(rest[end]?.row).length
  }
  const page = { rows: rest.slice(0, end).map(({ row }) => row) }
  const last = rest[end - 1]
  return end === rest.length || last === undefined ? page : { ...page, next: last.place }
}
