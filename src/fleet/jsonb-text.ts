/** A character of no text's own. */
const MARK = '\uE000'

/**
 * JSON that PostgreSQL can look into and change. It has no text with a zero in it, nor half of a pair of surrogates, and JSON may name both: what is named
 * by its number is marked with a character instead.
 */
export function toJsonb(json: string): string {
  return json.replace(/\\u|\\.|\uE000/g, (found) => {
    if (found === MARK) return `${MARK}e000`
    return found === '\\u' ? MARK : found
  })
}

export function fromJsonb(json: string): string {
  return json.replaceAll(MARK, String.raw`\u`)
}
