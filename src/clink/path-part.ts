/**
 * Whether a text can name something in a path. URL parsers take `.` and `..` for directories in any spelling that encodes them,
 * and text that is not well formed cannot be encoded at all.
 */
export function isPathPart(text: string): boolean {
  return text.isWellFormed() && !/^\.*$/.test(text)
}
