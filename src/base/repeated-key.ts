const PARTS = /"(?:[^"\\]|\\.)*"|[{}[\],]/g

/**
 * A key that an object of JSON has twice, not looked for in what is inside it. `JSON.parse` takes the last value and drops the others without a word.
 *
 * @param text valid JSON.
 */
export function repeatedKey(text: string): string | undefined {
  if (!/^\s*\{/.test(text)) return undefined
  const keys = new Set<string>()
  let depth = 0
  let isKey = false
  for (const [part] of text.matchAll(PARTS)) {
    if (part === '{' || part === '[') depth += 1
    else if (part === '}' || part === ']') depth -= 1
    else if (part !== ',' && depth === 1 && isKey) {
      const key = String(JSON.parse(part))
      if (keys.has(key)) return key
      keys.add(key)
    }
    isKey = depth === 1 && (part === ',' || part === '{')
  }
  return undefined
}

/** @throws {SyntaxError} where the text is no JSON, or an object that has a key twice. */
export function parsedOnce(text: string): unknown {
  const value: unknown = JSON.parse(text)
  const key = repeatedKey(text)
  if (key !== undefined) throw new SyntaxError(`${JSON.stringify(key)} is given twice`)
  return value
}
