/** Far more than a clink of 4096 characters needs, and far less than what copying, writing or showing one could not bear. */
const DEEPEST = 64
const LARGEST = 262_144
/** What a value takes beside its text. */
const VALUE = 8

/**
 * Why a record is too much for whoever copies or writes it; undefined: it is not. Looks at it without recursion, which a record that is
 * nested thousands deep would end, and at no more of it than it takes to know.
 */
export function excess(record: unknown): string | undefined {
  let size = 0
  const open: { readonly parts: object; readonly depth: number }[] = [{ parts: [record], depth: 0 }]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { depth, parts } = next
    if (depth > DEEPEST) return `it is nested more than ${DEEPEST} deep`
    // Names and values apart: together they would be an array for each of them.
    for (const name of Object.keys(parts)) size += VALUE + name.length
    const values: readonly unknown[] = Object.values(parts)
    for (const part of values) {
      if (typeof part === 'string') size += part.length
      if (size > LARGEST) return `it is longer than ${LARGEST} characters`
      if (typeof part === 'object' && part !== null) open.push({ parts: part, depth: depth + 1 })
    }
  }
  return undefined
}
