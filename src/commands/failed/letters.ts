import type { Choice } from '../../ledger/choice.ts'
import type { DeadLetter, LetterChange } from '../../ledger/dead-letters.ts'
import type { LateResult } from '../../ledger/late-results.ts'
import type { Place } from '../../ledger/page.ts'
import { CodedError } from '../../base/coded-error.ts'
import { systemClock, type Clock } from '../../base/clock.ts'
import type { Wish } from '../../control/asked.ts'
import type { SharedPage, ShownStep } from '../../control/dead-letters.ts'
import { MOST } from '../../control/acts.ts'
import { reachState, type StatePlace } from '../terminal/reach-state.ts'

export type FailedLetters = Awaited<ReturnType<typeof reachLetters>>

/** What is to become of dead letters: who wants it, and by what they were chosen. */
export interface LetterWish extends Pick<Wish, 'by'> {
  readonly note?: string
  readonly matching?: string
}

/** The dead letters and late results of one state directory, with its worker running or not. Throws as `reachState`. */
export async function reachLetters(state: StatePlace, clock: Clock = systemClock()) {
  const link = await reachState(state, clock)
  let away: string | undefined
  const seen = <Page extends { readonly away?: string }>(page: Page): Page => {
    away ??= page.away
    return page
  }
  return {
    left: link.left,
    /** Why the shared store could not be asked for what was read: then it is what is known without it. */
    get away() {
      return away
    },
    /** @param keep what is to be kept of each, of which there may be very many. */
    letters: async <Kept>(choice: Choice, keep: (letter: DeadLetter) => Kept) =>
      await all(async (after) => seen(await link.ask('failed.letters', { ...choice, ...after })), keep),
    late: async <Kept>(choice: Choice, keep: (result: LateResult) => Kept) =>
      await all(async (after) => await link.ask('failed.late', { ...choice, ...after }), keep),
    letter: async (id: string): Promise<DeadLetter | undefined> =>
      seen(await link.ask('failed.letter', { id })).rows[0],
    /** None where the shared store, which alone has them, is away. @param texts with the first characters of what they came to. */
    steps: async (id: string, texts: boolean): Promise<readonly ShownStep[]> => {
      try {
        return (await link.ask('failed.steps', { id, texts })).rows
      } catch (error) {
        if (!(error instanceof CodedError) || error.code !== 'STATE_UNAVAILABLE') throw error
        away ??= error.message
        return []
      }
    },
    /** However many there are. What became of each, in their order; `changed` is told of those of each request. */
    change: async (
      what: 'retry' | 'discard',
      ids: readonly string[],
      wish: LetterWish,
      changed: (id: string, change: LetterChange) => void,
    ): Promise<void> => {
      for (let from = 0; from < ids.length; from += MOST) {
        const some = ids.slice(from, from + MOST)
        const changes = await link.ask(`failed.${what}`, { ...wish, ids: some })
        for (const [index, id] of some.entries()) changed(id, changes[index] ?? 'unknown')
      }
    },
    close: () => link.close(),
  }
}

async function all<Row, Kept>(
  ask: (after: { readonly after?: Place }) => Promise<SharedPage<Row>>,
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
