import { statSync } from 'node:fs'
import { join } from 'node:path'
import { sleep, systemClock, type Clock } from '../../base/clock.ts'
import { CodedError, systemCode } from '../../base/coded-error.ts'
import { openState, type StateOptions } from '../../journal/state.ts'
import type { Choice } from '../../ledger/choice.ts'
import type { DeadLetter, LetterChange } from '../../ledger/dead-letters.ts'
import type { LateResult } from '../../ledger/late-results.ts'
import type { Page, Place } from '../../ledger/page.ts'
import { linkToWorker, type Link } from '../../control/client.ts'
import type { ShownStep } from '../../control/dead-letters.ts'
import { requests } from '../../control/requests.ts'

export type StatePlace = Pick<StateOptions, 'directory' | 'sync'>

export type FailedLetters = Awaited<ReturnType<typeof reachLetters>>

/** How long a worker may take to start, or another command to be done, in milliseconds. */
const PATIENCE = 5_000
const PAUSE = 100

/**
 * The dead letters and late results of one state directory. Takes the directory where no worker holds it, and speaks to the worker that
 * does otherwise.
 *
 * @throws {CodedError} STATE_UNUSABLE when there is nothing; STATE_BUSY when whoever holds it does not answer.
 */
export async function reachLetters(state: StatePlace, clock: Clock = systemClock()) {
  const link = await reach(state, clock)
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

async function reach(state: StatePlace, clock: Clock): Promise<Link> {
  const { directory } = state
  // Opening would make the directory, and an empty list would hide that its name is wrong.
  const missing = whyMissing(join(directory, 'journal.db'))
  if (missing !== undefined) throw new CodedError('STATE_UNUSABLE', `state.directory: ${directory} ${missing}`)
  const end = clock.now() + PATIENCE
  for (;;) {
    try {
      return openLink(state)
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== 'STATE_BUSY') throw error
      const link = await linkToWorker(directory)
      if (!(link instanceof Error)) return link
      // It may be about to listen, or to leave.
      if (clock.now() >= end)
        throw new CodedError('STATE_BUSY', `${error.message}; it does not answer: ${link.message}`)
      await sleep(clock, PAUSE)
    }
  }
}

/** A user who may not look must not hear that there is nothing. */
function whyMissing(file: string): string | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false }) === undefined
      ? 'holds nothing: no worker has run with it'
      : undefined
  } catch (cause) {
    const code = systemCode(cause)
    if (code === 'EACCES') return 'may not be read by this user: run this as the user that the worker runs as'
    return `cannot be read (${code})`
  }
}

function openLink(state: StatePlace): Link {
  const opened = openState({ ...state, visit: true, onHealth: () => {} })
  const asked = { ledger: opened.ledger, worker: undefined }
  return { ask: async (name, params) => await requests[name].by(params, asked), close: () => opened.close() }
}
