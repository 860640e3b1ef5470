import { painter } from '../../observe/colour.ts'
import { printable } from '../../observe/printable.ts'
import type { Io } from '../terminal/io.ts'
import { table } from '../terminal/table.ts'

interface ToldAct {
  readonly at: string
  readonly act: string
  readonly by: string
  readonly about?: string
  readonly note?: string
  readonly outcome?: string
}

/** For people, oldest first. */
export function auditText(acts: readonly ToldAct[], io: Pick<Io, 'color'>): string {
  if (acts.length === 0) return 'no operator has done anything\n'
  const paint = painter(io.color)
  const rows = acts.map(({ about, act, at, by, note, outcome }) => [
    at.replace(/\.\d+Z$/, 'Z'),
    printable(by),
    act,
    printable([about, outcome, note === undefined ? undefined : `"${note}"`].filter(Boolean).join(' · ')),
  ])
  return table([['WHEN', 'WHO', 'WHAT', ''].map((name) => paint('dim', name)), ...rows])
}
