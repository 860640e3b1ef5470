import type { Clink } from '../../clink/records.ts'
import { painter } from '../../observe/colour.ts'
import { printable } from '../../observe/printable.ts'
import type { DeadLetter, RerunState } from '../../ledger/dead-letters.ts'
import type { LateResult } from '../../ledger/late-results.ts'
import type { ShownStep } from '../../control/dead-letters.ts'
import { ageText } from './age.ts'
import { lines, withoutContent } from './clink-text.ts'
import { excerpt } from '../terminal/text.ts'
import type { Io } from '../terminal/io.ts'
import { lateWhole } from './late-text.ts'
import { table } from '../terminal/table.ts'

const HEAD = ['ID', 'GROUP', 'ROUTE', 'ATTEMPTS', 'AGE', 'REASON']

const RERUN: Readonly<Record<RerunState['step'], string>> = {
  due: 'to be run again',
  running: 'runs again',
  ready: 'its result is to be sent',
  sending: 'its result is being sent',
  unknown: 'nobody knows whether its result arrived',
  refused: 'its result cannot be sent',
}

/** For people, without contents. */
export function lettersText(letters: readonly DeadLetter[], io: Io, now = Date.now()): string {
  const paint = painter(io.color)
  const rows = letters.map(({ at, attempts, clink, reason, rerun, route }) => [
    paint('cyan', printable(clink.clink_id)),
    printable(clink.group_slug ?? clink.group_id),
    printable(route),
    String(attempts),
    ageText({ at, clink }, now),
    excerpt(rerun === undefined ? reason : `${RERUN[rerun.step]}: ${reason}`),
  ])
  return table([HEAD.map((name) => paint('dim', name)), ...rows])
}

/** All that is known of a clink. */
interface Whole {
  readonly clink: Clink
  readonly letter: DeadLetter | undefined
  readonly late: readonly LateResult[]
  /** What its runs have done once. */
  readonly steps: readonly ShownStep[]
}

/** For people, with its content. @param log the end of its own log, as it is shown. */
export function wholeText({ clink, late, letter, log, steps }: Whole & { readonly log: string }): string {
  const group = clink.group_slug ?? clink.group_name
  const facts = table([
    ['clink', printable(clink.clink_id)],
    ['group', printable(group ? `${group} (${clink.group_id})` : clink.group_id)],
    ['sender', printable(`${clink.sender_name} (${clink.sender_id})`)],
    ['sent', printable(clink.created_at)],
    ...(letter === undefined ? [] : letterFacts(letter)),
  ])
  const errors = letter === undefined ? '' : `errors\n${letter.errors.map(lines).join('')}`
  const response = letter?.rerun?.response
  const unsent = response === undefined ? '' : `result\n${lines(response)}`
  const said = log === '' ? '' : `log\n${log}`
  const done = steps.length === 0 ? '' : `steps\n${lines(table(steps.map(stepRow)).trimEnd())}`
  return `${facts}${errors}${done}${said}${unsent}${late.map(lateWhole).join('')}content\n${lines(clink.content)}`
}

/** What it came to may quote its clink: the first of that only where it was asked for. */
function stepRow({ at, begins, bytes, is, name }: ShownStep): string[] {
  const when = at === undefined ? '?' : new Date(at).toISOString()
  return [is, printable(name), when, `${bytes} bytes`, begins === undefined ? '' : excerpt(begins)]
}

function letterFacts({ at, attempts, notice, reason, rerun, route, tell }: DeadLetter): [string, string][] {
  return [
    ['route', printable(route)],
    ['attempts', String(attempts)],
    ['given up', new Date(at).toISOString()],
    ['told', tell === 'release' ? 'nothing: others may try it' : notice === undefined ? TOLD : TO_BE_TOLD],
    ['reason', printable(reason)],
    ...(rerun === undefined ? [] : [['rerun', RERUN[rerun.step]] satisfies [string, string]]),
  ]
}

const TOLD = 'its sender got the answer that it failed'
const TO_BE_TOLD = 'its sender gets the answer that it failed, which Clink has not confirmed yet'

/** JSON for programs. What `printable` makes of a control character is also what JSON writes for it. */
export function json(value: unknown): string {
  return `${printable(JSON.stringify(value))}\n`
}

/** Without content and errors, in which it may be quoted. */
export function summary({ at, attempts, clink, reason, rerun, route, tell }: DeadLetter): unknown {
  return { ...withoutContent(clink), route, attempts, reason, tell, rerun: rerun?.step, at: new Date(at).toISOString() }
}

/** Everything, with the errors, the late results and the content. */
export function whole({ clink, late, letter, steps }: Whole): object {
  const results = late.map(({ clink: _clink, at, ...rest }) => ({ ...rest, at: new Date(at).toISOString() }))
  const of = letter === undefined ? { clink } : { ...letter, at: new Date(letter.at).toISOString() }
  const done = steps.map(({ at, ...rest }) => ({ ...rest, at: at === undefined ? null : new Date(at).toISOString() }))
  return { ...of, ...(done.length > 0 && { steps: done }), ...(results.length > 0 && { late: results }) }
}
