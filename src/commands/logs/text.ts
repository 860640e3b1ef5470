import type { ClinkLine } from '../../clink-logs/segments.ts'
import { painter } from '../../observe/colour.ts'
import { printable } from '../../observe/printable.ts'
import type { Io } from '../terminal/io.ts'

/** Lines for people, under a head for each attempt. */
export function logText(io: Pick<Io, 'color'>): (line: ClinkLine) => string {
  const paint = painter(io.color)
  let head = ''
  return ({ at, attempt, fields = {}, handler, level, message }) => {
    const next = `attempt ${attempt} · ${printable(handler)}`
    const above = next === head ? '' : `${paint('bold', next)}\n`
    head = next
    const own = Object.entries(fields).map(
      ([name, value]) => ` ${paint('dim', `${printable(name)}=`)}${printable(JSON.stringify(value) ?? '')}`,
    )
    return `${above}  ${paint('dim', new Date(at).toISOString())} ${level.padEnd(5)} ${printable(message)}${own.join('')}\n`
  }
}
