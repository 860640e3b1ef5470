import { isDeepStrictEqual } from 'node:util'
import type { DeadLetter } from '../ledger/dead-letters.ts'

/**
 * What this process has changed of a letter and the fleet was not told. Other members change the same letter meanwhile, so it is told as a change of
 * the letter as the fleet has it then.
 */
export interface LetterEdit {
  /** Of a letter that is new: which one of its clink it is. A second write of it brings back nothing that was removed, or changed, since the first. */
  readonly born?: string
  /** What has changed of it since it was new, or was read. Everything else stays as the fleet has it. */
  readonly keys: readonly string[]
}

/** Says that nobody wants to see a letter any more. It stays so, whoever changes or removes it without knowing that. */
const DISCARDED = 'discarded' satisfies keyof DeadLetter

/** @param born of a letter that is new. */
export function editOf(before: DeadLetter | undefined, now: DeadLetter | undefined, born: string): LetterEdit {
  if (now === undefined) return { keys: before?.discarded === true ? [DISCARDED] : [] }
  return before === undefined ? { born, keys: [] } : { keys: changedKeys(before, now) }
}

/** Two edits as one. */
export function editsOf(first: LetterEdit | undefined, next: LetterEdit | undefined): LetterEdit | undefined {
  if (first === undefined || next === undefined || next.born !== undefined) return next ?? first
  return { ...first, keys: [...new Set([...first.keys, ...next.keys])] }
}

/**
 * What a letter of the fleet is after an edit, as every store has to carry it out.
 *
 * @param there as the fleet has it.
 * @param here as it is after the edit for who has made it; undefined: it is removed.
 */
export function edited<Letter extends Partial<DeadLetter>>(
  there: Letter,
  here: Letter | undefined,
  keys: readonly string[],
): Letter | undefined {
  const isKnown = here === undefined ? keys.includes(DISCARDED) : here.discarded === true
  if (there.discarded === true && !isKnown) return there
  if (here === undefined || keys.includes(DISCARDED)) return here
  const kept = Object.entries(there).filter(([key]) => !keys.includes(key))
  const changed = Object.entries(here).filter(([key]) => keys.includes(key))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of two letters
  return Object.fromEntries([...kept, ...changed]) as Letter
}

function changedKeys(before: DeadLetter, now: DeadLetter): string[] {
  const [was, is] = [new Map(Object.entries(before)), new Map(Object.entries(now))]
  const keys = new Set([...was.keys(), ...is.keys()])
  return [...keys].filter((key) => !isDeepStrictEqual(was.get(key), is.get(key)))
}
