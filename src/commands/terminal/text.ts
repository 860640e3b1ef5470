import { humanDuration } from '../../base/duration.ts'
import { readTime } from '../../base/time-text.ts'
import { printable } from '../../observe/printable.ts'

const SHOWN = 72

/** The beginning of a text, on one line. */
export function excerpt(text: string): string {
  const line = Array.from(printable(text.slice(0, SHOWN * 2)))
  return line.length > SHOWN ? `${line.slice(0, SHOWN - 1).join('')}…` : line.join('')
}

export function ageOf(time: string, now: number): string {
  const at = readTime(time)
  return at === undefined ? '?' : humanDuration(Math.max(0, now - at))
}
