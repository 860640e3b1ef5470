import { stripVTControlCharacters } from 'node:util'

/** Rows as columns that line up, two spaces apart. The last column is not padded. */
export function table(rows: readonly (readonly string[])[], indent = ''): string {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, width(cell))
  }
  return rows
    .map((row) => {
      const cells = row.map((cell, column) =>
        column === row.length - 1 ? cell : cell + ' '.repeat((widths[column] ?? 0) - width(cell)),
      )
      return `${indent}${cells.join('  ').trimEnd()}\n`
    })
    .join('')
}

function width(text: string): number {
  return Array.from(stripVTControlCharacters(text)).length
}
