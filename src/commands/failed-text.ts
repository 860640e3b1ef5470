import { humanDuration } from '../base/duration.ts'
import { painter } from '../observe/colour.ts'
import { printable } from '../observe/printable.ts'
import type { DeadLetter } from '../worker/ledger.ts'
import { excerpt } from './inbox.ts'
import type { Io } from './io.ts'
import { table } from './table.ts'

const HEAD = ['ID', 'GROUP', 'ROUTE', 'ATTEMPTS', 'AGE', 'REASON']

/** For people, without contents. */
export function lettersText(letters: readonly DeadLetter[], io: Io, now = Date.now()): string {
  if (letters.length === 0) return 'no dead letters\n'
  const paint = painter(io.color)
  const rows = letters.map(({ at, attempts, clink, reason, route }) => [
    paint('cyan', printable(clink.clink_id)),
    printable(clink.group_slug ?? clink.group_id),
    printable(route),
    String(attempts),
    humanDuration(Math.max(0, now - at)),
    excerpt(reason),
  ])
  return table([HEAD.map((name) => paint('dim', name)), ...rows])
}

/** For people: all that is known, with the content. */
export function letterText({ at, attempts, clink, errors, reason, route, tell }: DeadLetter): string {
  const group = clink.group_slug ?? clink.group_name
  const facts = table([
    ['clink', printable(clink.clink_id)],
    ['group', printable(group ? `${group} (${clink.group_id})` : clink.group_id)],
    ['sender', printable(`${clink.sender_name} (${clink.sender_id})`)],
    ['sent', printable(clink.created_at)],
    ['route', printable(route)],
    ['attempts', String(attempts)],
    ['given up', new Date(at).toISOString()],
    ['told', tell === 'complete' ? 'its sender got the answer that it failed' : 'it was released, for others to try'],
    ['reason', printable(reason)],
  ])
  return `${facts}errors\n${errors.map(lines).join('')}content\n${lines(clink.content)}`
}

/** JSON for programs. What `printable` makes of a control character is also what JSON writes for it. */
export function json(value: unknown): string {
  return `${printable(JSON.stringify(value))}\n`
}

/** Without content and errors, in which it may be quoted. */
export function summary({ at, attempts, clink, reason, route, tell }: DeadLetter): unknown {
  const { clink_id, created_at, group_id, group_slug, sender_id, sender_name } = clink
  const from = { clink_id, group_id, group_slug, sender_id, sender_name, created_at }
  return { ...from, route, attempts, reason, tell, at: new Date(at).toISOString() }
}

/** Everything, with the errors and the content. */
export function whole(letter: DeadLetter): unknown {
  return { ...letter, at: new Date(letter.at).toISOString() }
}

function lines(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => `  ${printable(line)}\n`)
    .join('')
}
