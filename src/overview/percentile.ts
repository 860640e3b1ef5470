/** Of numbers in any order; null: there are none. */
export function percentile(numbers: readonly number[], part: number): number | null {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? null
}
