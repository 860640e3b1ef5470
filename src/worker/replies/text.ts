/** The longest text of a clink. What the service counts is not known; UTF-16 units are never fewer than code points. */
export const LONGEST_TEXT = 4_096

const CUT = ' […]'

export interface FittedText {
  readonly text: string
  /** True when the end of the text is missing. */
  readonly cut: boolean
}

/**
 * A text as the service can take it: well formed, without NUL, at most `LONGEST_TEXT` long with its last line and cut
 * between code points.
 *
 * @param line the last line, which is kept whole: what workers tell each other.
 * @param unit what the length counts; bytes only after the service refused the text otherwise.
 */
export function fitText(text: string, line?: string, unit: 'utf16' | 'bytes' = 'utf16'): FittedText {
  const ending = line === undefined ? '' : text === '' ? line : `\n${line}`
  const clean = text.toWellFormed().replaceAll('\0', '�')
  const length = (piece: string): number => (unit === 'bytes' ? Buffer.byteLength(piece) : piece.length)
  if (length(clean + ending) <= LONGEST_TEXT) return { text: clean + ending, cut: false }

  const room = LONGEST_TEXT - length(CUT + ending)
  let used = 0
  let kept = 0
  for (const point of clean) {
    used += length(point)
    if (used > room) break
    kept += point.length
  }
  return { text: clean.slice(0, kept) + CUT + ending, cut: true }
}
