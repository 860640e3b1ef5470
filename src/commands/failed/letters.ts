import { systemClock, type Clock } from '../../base/clock.ts'
import type { Choice } from '../../ledger/choice.ts'
import type { DeadLetter, LetterChange } from '../../ledger/dead-letters.ts'
import type { LateResult } from '../../ledger/late-results.ts'
import type { Page, Place } from '../../ledger/page.ts'
import type { ShownStep } from '../../control/dead-letters.ts'
import { reachState, type StatePlace } from '../terminal/reach-state.ts'

export type FailedLetters = Awaited<ReturnType<typeof reachLetters>>

/**
 * The dead letters and late results of one state directory. Takes the directory where no worker holds it, and speaks to the worker that
 * does otherwise.
 *
 * @throws {CodedError} STATE_UNUSABLE when there is nothing; STATE_BUSY when whoever holds it does not answer.
 */
export async function reachLetters(state: StatePlace, clock: Clock = systemClock()) {
  const link = await reachState(state, clock)
  return {
    /** @param keep what is to be kept of each, of which there may be very many. */
    letters: async <Kept>(choice: Choice, keep: (letter: DeadLetter) => Kept) =>
      await all(async (after) => await link.ask('failed.letters', { ...choice, ...after }), keep),
    late: async <Kept>(choice: Choice, keep: (result: LateResult) => Kept) =>
      await all(async (after) => await link.ask('failed.late', { ...choice, ...after }), keep),
    letter: async (id: string): Promise<DeadLetter | undefined> => (await link.ask('failed.letter', { id })).rows[0],
    /** @param texts with the first characters of what they came to. */
    steps: async (id: string, texts: boolean): Promise<readonly ShownStep[]> =>
      (await link.ask('failed.steps', { id, texts })).rows,
    change: async (what: 'retry' | 'discard', id: string): Promise<LetterChange> =>
      await link.ask(`failed.${what}`, { id }),
    close: () => link.close(),
  }
}

async function all<Row, Kept>(
  ask: (after: { readonly after?: Place }) => Promise<Page<Row>>,
  keep: (row: Row) => Kept,
): Promise<readonly Kept[]> {
  const found: Kept[] = []
  for (let after: Place | undefined; ;) {
    const page = await ask(after === undefined ? {} : { after })
    found.push(...page.rows.map(keep))
    if (page.next === undefined) return found
    after = page.next
  }
}
