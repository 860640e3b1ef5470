import { painter } from '../../observe/colour.ts'
import { printable } from '../../observe/printable.ts'
import type { Io } from '../terminal/io.ts'
import type { Finding } from './finding.ts'

const COLOURS = { ok: 'green', warning: 'yellow', failed: 'red', unknown: 'dim' } as const
/** Characters of the first two columns: what is found is shown one by one, so nobody knows the longest. */
const COLUMNS = ['configuration'.length, 'warning'.length] as const
/** With what is between them. */
const BEFORE = COLUMNS[0] + COLUMNS[1] + 4
/** A text is not made narrower than this. */
const NARROW = 40

/** For people: what was looked at, what came of it, and what to do. @param columns of the terminal; undefined: lines are left as long as they are. */
export function findingText(finding: Finding, io: Pick<Io, 'color'>, columns?: number): string {
  const { advice, detail, result, routes, what } = finding
  const paint = painter(io.color)
  const width = columns === undefined ? Infinity : Math.max(NARROW, columns - BEFORE)
  // The table of routes has columns of its own.
  const said = detail.split('\n').flatMap((line) => lines(printable(line), routes === undefined ? width : Infinity))
  const [first, ...others] = advice === undefined ? [] : lines(printable(advice), width - 2)
  const asked = first === undefined ? [] : [`→ ${first}`, ...others.map((line) => `  ${line}`)]
  const begin = `${what.padEnd(COLUMNS[0])}  ${paint(COLOURS[result], result.padEnd(COLUMNS[1]))}  `
  return [...said, ...asked]
    .map((line, index) => `${((index === 0 ? begin : ' '.repeat(BEFORE)) + line).trimEnd()}\n`)
    .join('')
}

/** In one line, what came of it all. */
export function summary(findings: readonly Finding[]): string {
  const count = (result: Finding['result']): number => findings.filter((one) => one.result === result).length
  const [failures, warnings, unknowns] = [count('failed'), count('warning'), count('unknown')]
  const parts = [
    failures === 0 ? [] : `${failures} failed: it cannot work like this`,
    warnings === 0 ? [] : `${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`,
    failures + warnings === 0 ? 'all well' : [],
    unknowns === 0 ? [] : `${unknowns} cannot be seen from here`,
  ]
  return parts.flat().join(', ')
}

function lines(text: string, width: number): string[] {
  const made: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      made.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return width === Infinity ? [text] : [...made, line]
}
