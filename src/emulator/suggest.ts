function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (const [i, letter] of Array.from(a).entries()) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j += 1) {
      const swap = (row[j] ?? 0) + (letter === b[j] ? 0 : 1)
      next.push(Math.min(swap, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}

/** ` (did you mean "x"?)` for the word that is near enough to a mistyped one, otherwise nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const wanted = word.toLowerCase()
  const [best] = known
    .map((name) => ({ name, off: distance(wanted, name.toLowerCase()) }))
    .filter(({ name, off }) => off <= Math.max(2, Math.floor(name.length / 3)))
    .sort((a, b) => a.off - b.off)
  return best === undefined ? '' : ` (did you mean "${best.name}"?)`
}
