import { isDeepStrictEqual } from 'node:util'
import type { DeadLetter, RerunState } from '../ledger/dead-letters.ts'
import type { Row } from '../ledger/rows.ts'

/**
 * What this process has changed of a letter and the fleet was not told. Other members change the same letter meanwhile, so it is told as a change of
 * the letter as the fleet has it then.
 */
export interface LetterEdit {
  /** Of a letter that is new: which one of its clink it is. A second write of it brings back nothing that was removed, changed, or given up anew since the first. */
  readonly born?: string
  /** What has changed of it since it was new, or was read. Everything else stays as the fleet has it. */
  readonly keys: readonly string[]
  /** What it was here before each change, by `stateOf`. */
  readonly was: readonly LetterState[]
}

/** How far the rerun of a letter is, null where there is none, and when it was given up. */
type LetterState = readonly [rerun: RerunState | null, at: number]

/** Says that nobody wants to see a letter any more. It stays so, whoever changes or removes it without knowing that. */
const DISCARDED = 'discarded' satisfies keyof DeadLetter
/** Changes of these count whatever others have done with the letter: they are about its clink. */
export const FREE: readonly string[] = ['seen', 'notice', 'untaken'] satisfies (keyof DeadLetter)[]

/** @param born of a letter that is new. */
export function editOf(before: DeadLetter | undefined, now: DeadLetter | undefined, born: string): LetterEdit {
  if (before === undefined) return { born, keys: [], was: [] }
  const removed = before.discarded === true ? [DISCARDED] : []
  return { keys: now === undefined ? removed : changedKeys(before, now), was: [stateOf(before)] }
}

/** What is noted of a letter that the fleet was not told; undefined: that is about none. */
export function notedEdit(untold: Row<'untold'> | undefined): LetterEdit | undefined {
  return typeof untold === 'object' && 'keys' in untold ? untold : undefined
}

/** Two edits as one. */
export function editsOf(first: LetterEdit | undefined, next: LetterEdit | undefined): LetterEdit | undefined {
  if (first === undefined || next === undefined || next.born !== undefined) return next ?? first
  const added = next.was.filter((state) => !isAmong(state, first.was))
  return { ...first, keys: [...new Set([...first.keys, ...next.keys])], was: [...first.was, ...added] }
}

/**
 * What a letter of the fleet is where a member that knew of none has given its clink up as well. One that somebody has had run again since stays, as every store
 * has to see to: its sender was told, so the other start was over before that.
 *
 * @param there as the fleet has it.
 */
export function joined<Letter extends Partial<DeadLetter>>(there: Letter | undefined, here: Letter): Letter {
  return there?.rerun === undefined || there.discarded === true ? here : there
}

/**
 * What a letter of the fleet is after an edit, as every store has to carry it out. Where another member has gone on with the letter since, the edit
 * changes what is `FREE`, and nothing else: so a write that is repeated, since nobody has learnt of the first one, undoes nothing.
 *
 * @param there as the fleet has it.
 * @param here as it is after the edit for who has made it; undefined: it is removed.
 */
export function edited<Letter extends Partial<DeadLetter>>(
  there: Letter,
  here: Letter | undefined,
  { keys, was }: LetterEdit,
): Letter | undefined {
  const isKnown = here === undefined ? keys.includes(DISCARDED) : here.discarded === true
  if (there.discarded === true && !isKnown) return there
  if (keys.includes(DISCARDED)) return here
  const isCurrent = isAmong(stateOf(there), was)
  if (here === undefined) return isCurrent ? undefined : there
  const told = isCurrent ? keys : keys.filter((key) => FREE.includes(key))
  const kept = Object.entries(there).filter(([key]) => !told.includes(key))
  const changed = Object.entries(here).filter(([key]) => told.includes(key))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of two letters
  return Object.fromEntries([...kept, ...changed]) as Letter
}

function stateOf({ at = 0, rerun }: Partial<DeadLetter>): LetterState {
  return [rerun ?? null, at]
}

function isAmong(state: LetterState, states: readonly LetterState[]): boolean {
  return states.some((one) => isDeepStrictEqual(one, state))
}

function changedKeys(before: DeadLetter, now: DeadLetter): string[] {
  const [was, is] = [new Map(Object.entries(before)), new Map(Object.entries(now))]
  const keys = new Set([...was.keys(), ...is.keys()])
  return [...keys].filter((key) => !isDeepStrictEqual(was.get(key), is.get(key)))
}
