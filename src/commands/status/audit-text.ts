import { memberName } from '../../ledger/fleet.ts'
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
  readonly member?: string
  readonly machine?: string
}

function inOneLine(text: string): string {
  return printable(text.trim().replaceAll(/\s*\n\s*/g, '; '))
}

/** For people, oldest first. */
export function auditText(acts: readonly ToldAct[], io: Pick<Io, 'color'>): string {
  if (acts.length === 0) return 'no operator has done anything\n'
  const paint = painter(io.color)
  const isOfFleet = acts.some(({ member }) => member !== undefined)
  const rows = acts.map(({ about, act, at, by, machine = '', member, note, outcome }) => [
    at.replace(/\.\d+Z$/, 'Z'),
    printable(by),
    act,
    ...(isOfFleet ? [member === undefined ? '-' : printable(memberName(machine, member))] : []),
    inOneLine([about, outcome, note === undefined ? undefined : `"${note}"`].filter(Boolean).join(' · ')),
  ])
  const names = ['WHEN', 'WHO', 'WHAT', ...(isOfFleet ? ['WORKER'] : []), '']
  return table([names.map((name) => paint('dim', name)), ...rows])
}
