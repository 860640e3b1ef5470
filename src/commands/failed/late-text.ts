import { painter } from '../../observe/colour.ts'
import { printable } from '../../observe/printable.ts'
import type { LateResult } from '../../ledger/late-results.ts'
import { ageText } from './age.ts'
import { lines, withoutContent } from './clink-text.ts'
import type { Io } from '../terminal/io.ts'
import { table } from '../terminal/table.ts'

const HEAD = ['ID', 'GROUP', 'ROUTE', 'ATTEMPT', 'AGE', 'OUTCOME', 'WHY']

const WHY: Readonly<Record<LateResult['why'], string>> = {
  late: 'its claim had ended',
  elsewhere: 'Clink refused it: somebody else had settled the clink, or the group was left',
}

/** For people, without contents and responses. */
export function lateText(results: readonly LateResult[], io: Io, now = Date.now()): string {
  if (results.length === 0) return 'no late results\n'
  const paint = painter(io.color)
  const rows = results.map(({ at, attempt, clink, outcome, route, why }) => [
    paint('cyan', printable(clink.clink_id)),
    printable(clink.group_slug ?? clink.group_id),
    printable(route),
    String(attempt),
    ageText({ at, clink }, now),
    outcome,
    WHY[why],
  ])
  return table([HEAD.map((name) => paint('dim', name)), ...rows])
}

/** For people: one late result with its response. */
export function lateWhole({ at, attempt, outcome, reason, response, route, why }: LateResult): string {
  const head = `late result: ${outcome} by ${printable(route)}, attempt ${attempt}, at ${new Date(at).toISOString()}; ${WHY[why]}`
  return `${head}\n${lines(response ?? reason ?? 'without a response')}`
}

/** For programs, without content and response. */
export function lateSummary({ at, attempt, clink, outcome, reason, route, why }: LateResult): unknown {
  return { ...withoutContent(clink), route, attempt, outcome, why, reason, at: new Date(at).toISOString() }
}
