import { monotonicNow, setImmediate } from '../base/host-time.ts'
import type { DeadLetter } from '../ledger/dead-letters.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Place } from '../ledger/page.ts'
import { quotes } from '../observe/quoting.ts'

/** Dead letters of one route with one kind of error. */
export interface FailureGroup {
  readonly route: string
  readonly kind: string
  readonly count: number
  /** Wall time in milliseconds. */
  readonly first: number
  readonly last: number
  /** Ids of some of them, the oldest first. */
  readonly some: readonly string[]
}

const KIND = 160
const SOME = 5
/** What is not told of a text, so that errors that differ in it only are of one kind. */
const PARTICULARS = /\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b|\b(?=\w*\d)[\w-]{8,}|\d+(?:\.\d+)?/g
const QUOTING = '(an error that quotes its clink)'

/** Errors that differ in numbers and ids only are of one kind. */
function kindOf({ clink, reason }: Pick<DeadLetter, 'reason'> & { clink: { content: string } }): string {
  const [line = ''] = reason.trimStart().split('\n', 1)
  const kind = line
    .slice(0, KIND * 2)
    .replaceAll(PARTICULARS, '…')
    .slice(0, KIND)
    .toWellFormed()
  return quotes(kind, clink.content) ? QUOTING : kind
}

/** Pages of dead letters, with a turn for everybody else between two of them. */
async function* pagesOf(ledger: Ledger): AsyncGenerator<readonly DeadLetter[]> {
  let after: Place | undefined
  do {
    const { next, rows } = ledger.letters.page(after)
    yield rows
    await new Promise<void>((resolve) => setImmediate(resolve))
    after = next
  } while (after !== undefined)
}

type Growing = { -readonly [Key in keyof FailureGroup]: FailureGroup[Key] } & { some: string[] }

interface Looked {
  readonly groups: Promise<FailureGroup[]>
  /** Not before is it looked anew, by the clock that goes forward only: very many dead letters take a while. */
  until: number
}

const looked = new WeakMap<Ledger, Looked>()
/** Which part of its time the worker spends on this at most. */
const PART = 20

/** All dead letters by route and kind of error, most first; of a moment ago, where there are very many. */
export async function groupsOf(ledger: Ledger): Promise<FailureGroup[]> {
  const last = looked.get(ledger)
  if (last !== undefined && monotonicNow() < last.until) return await last.groups
  const begun = monotonicNow()
  const look: Looked = { groups: lookAt(ledger), until: Infinity }
  looked.set(ledger, look)
  try {
    return await look.groups
  } finally {
    look.until = monotonicNow() + (monotonicNow() - begun) * PART
  }
}

/** They are others now. */
export function forgetGroups(ledger: Ledger): void {
  looked.delete(ledger)
}

async function lookAt(ledger: Ledger): Promise<FailureGroup[]> {
  const groups = new Map<string, Growing>()
  for await (const letters of pagesOf(ledger))
    for (const letter of letters) {
      const { at, clink, route } = letter
      const kind = kindOf(letter)
      const key = `${route}\n${kind}`
      const group = groups.get(key) ?? { route, kind, count: 0, first: at, last: at, some: [] }
      group.count += 1
      group.first = Math.min(group.first, at)
      group.last = Math.max(group.last, at)
      if (group.some.length < SOME) group.some.push(clink.clink_id)
      groups.set(key, group)
    }
  return [...groups.values()].toSorted((one, other) => other.count - one.count || other.last - one.last)
}

/** The ids of all that are of one kind, in no more than so many at a time. */
export async function membersOf(
  { kind, route }: { readonly kind: string; readonly route: string },
  ledger: Ledger,
): Promise<string[]> {
  const ids: string[] = []
  for await (const letters of pagesOf(ledger))
    ids.push(
      ...letters
        .filter((letter) => letter.route === route && kindOf(letter) === kind)
        .map(({ clink }) => clink.clink_id),
    )
  return ids
}
