import { CodedError, EXIT } from '../../base/coded-error.ts'
import { parseDuration } from '../../base/duration.ts'
import { readTime } from '../../base/time-text.ts'
import { printable } from '../../observe/printable.ts'
import type { Clink } from '../../clink/records.ts'
import type { Choice } from '../../ledger/choice.ts'
import type { LetterChange } from '../../ledger/dead-letters.ts'
import { wishOf } from '../terminal/caller.ts'
import { showsContent, stateOf, type StateSettings } from '../terminal/connect.ts'
import { reachLetters, type FailedLetters } from './letters.ts'
import { json, lettersText, summary, whole, wholeText } from './letter-text.ts'
import { ClinkLogReader } from '../../clink-logs/read.ts'
import { logsOf } from '../../clink-logs/segments.ts'
import { logText } from '../logs/text.ts'
import { lateSummary, lateText } from './late-text.ts'
import type { Io } from '../terminal/io.ts'

export interface FailedOptions extends StateSettings {
  readonly all?: true
  readonly late?: true
  readonly group?: string
  readonly route?: string
  readonly since?: string
  readonly note?: string
  readonly error?: string
  readonly json?: true
}

/** So many of the last lines of a clink's own log are shown. */
const LAST = 20

export async function listFailed(options: FailedOptions, io: Io): Promise<void> {
  const choice = choiceOf(options)
  await withLetters(options, io, async (failed) => {
    if (options.late === true) {
      const results = await failed.late(choice, (one) => withoutText({ ...one, response: '' }))
      io.out(options.json === true ? json(results.map(lateSummary)) : lateText(results, io))
      return
    }
    const letters = await failed.letters(choice, (one) => ({ ...withoutText(one), errors: [] }))
    if (options.json === true) io.out(json(letters.map(summary)))
    else if (letters.length > 0) io.out(lettersText(letters, io))
    else if (failed.away === undefined) io.out(await noneText(options, failed))
    sayAway(failed.away, io)
  })
}

export async function showFailed(id: string, options: FailedOptions, io: Io): Promise<void> {
  const mayShow = await showsContent(options, io)
  await withLetters(options, io, async (failed, directory) => {
    const letter = await failed.letter(id)
    const late = (await failed.late({}, (one) => one)).filter(({ clink }) => clink.clink_id === id)
    const last = letter ?? late.at(-1)
    if (last === undefined && failed.away !== undefined) throw storeAway(failed.away, `whether ${id} was given up`)
    if (last === undefined) {
      io.problem(printable(unknown(id)))
      return io.finish(EXIT.failed)
    }
    const said = (await new ClinkLogReader(logsOf(directory), id).next()).slice(-LAST)
    const log = said.map(logText(io)).join('')
    const steps = letter === undefined ? [] : await failed.steps(id, mayShow)
    const shown = { clink: last.clink, letter, late, steps }
    io.out(options.json === true ? json({ ...whole(shown), log: said }) : wholeText({ ...shown, log }))
    sayAway(failed.away, io)
  })
}

export async function changeFailed(
  what: 'retry' | 'discard',
  ids: readonly string[],
  options: FailedOptions,
  io: Io,
): Promise<void> {
  const matching = matchingOf(options)
  const isFiltered = matching !== ''
  if (ids.length === 0 && !isFiltered) throw new CodedError('USAGE', `failed ${what}: say which: ids, ${FILTERS}`)
  if (ids.length > 0 && isFiltered)
    throw new CodedError('USAGE', `failed ${what}: name ids or choose with ${FILTERS}, not both`)
  if (options.all === true && matching !== '--all')
    throw new CodedError('USAGE', `failed ${what}: --all or ${matching}, not both`)
  const choice = choiceOf(options)
  await withLetters(options, io, async (failed) => {
    const named = isFiltered ? await failed.letters(choice, ({ clink }) => clink.clink_id) : ids
    // What is to be changed is more than is known here.
    if (failed.away !== undefined) throw storeAway(failed.away, 'which dead letters there are')
    const changes: { clink_id: string; result: LetterChange }[] = []
    const wish = { ...wishOf(options, io), ...(isFiltered && { matching }) }
    await failed.change(what, [...new Set(named)], wish, (id, result) => {
      changes.push({ clink_id: id, result })
      if (result === 'unknown') io.problem(printable(unknown(id)))
      else if (options.json !== true) io.out(`${printable(id)} ${saidOf(what, result, failed.left)}\n`)
    })
    if (options.json === true) io.out(json(changes))
    else if (named.length === 0) io.out(await noneText(options, failed))
    else if (isFiltered) io.out(total(what, changes.filter(({ result }) => result !== 'unknown').length))
    if (changes.some(({ result }) => result === 'unknown')) io.finish(EXIT.failed)
  })
}

async function withLetters(
  options: FailedOptions,
  io: Io,
  use: (failed: FailedLetters, directory: string) => Promise<void>,
): Promise<void> {
  const state = await stateOf(options, io)
  const failed = await reachLetters(state)
  try {
    await use(failed, state.directory)
  } finally {
    await failed.close()
  }
}

function choiceOf({ error, group, route, since }: FailedOptions): Choice {
  return {
    ...(error !== undefined && { error }),
    ...(group !== undefined && { group }),
    ...(route !== undefined && { route }),
    ...(since !== undefined && { since: sinceOf(since) }),
  }
}

/** How long ago, or a time. */
function sinceOf(text: string): number {
  const ago = parseDuration(text)
  const at = ago === undefined ? readTime(text) : Date.now() - ago
  if (at !== undefined) return at
  throw new CodedError(
    'USAGE',
    `--since: ${JSON.stringify(text)} is no time: write how long ago, as in 2h, or 2026-01-31T08:00Z`,
  )
}

/** What they are chosen by, as it was written; empty: nothing. */
function matchingOf({ all, error, group, route, since }: FailedOptions): string {
  const chosen = Object.entries({ route, group, error, since }).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name} ${value}`],
  )
  return chosen.length > 0 ? chosen.join(' ') : all === true ? '--all' : ''
}

/** There are none, or none like that. */
async function noneText(options: FailedOptions, failed: FailedLetters): Promise<string> {
  const matching = matchingOf(options)
  const { length } = matching === '' || options.all === true ? [] : await failed.letters({}, () => undefined)
  return printable(length === 0 ? 'no dead letters' : `no dead letters match ${matching}, of ${length} in all`) + '\n'
}

function total(what: 'retry' | 'discard', count: number): string {
  const letters = count === 1 ? '1 dead letter' : `${count} dead letters`
  return `${letters} ${what === 'retry' ? 'to be run again' : 'discarded'}\n`
}

function storeAway(problem: string, what: string): CodedError {
  return new CodedError('STATE_UNAVAILABLE', `${problem}; ${what} is not known without it`)
}

/** What was told is what is known here. */
function sayAway(problem: string | undefined, io: Io): void {
  if (problem === undefined) return
  io.problem(printable(`${problem}; what other workers of the fleet have done since may be missing`))
  io.finish(EXIT.busy)
}

/** As it is listed. */
function withoutText<One extends { readonly clink: Clink }>(one: One): One {
  return { ...one, clink: { ...one.clink, content: '' } }
}

function unknown(id: string): string {
  return `${id} is not among the dead letters; \`clink-worker failed list\` shows them`
}

const FILTERS = '--route, --group, --error, --since or --all'

/** A rerun is of the worker that is asked for it: where none runs, nobody begins it. */
function saidOf(
  what: 'retry' | 'discard',
  result: Exclude<LetterChange, 'unknown'>,
  left: FailedLetters['left'],
): string {
  const said = SAID[result === 'done' ? what : result]
  return result !== 'rerun' || left === undefined ? said : `${said}${NEXT[left]}`
}

const NEXT = {
  alone: ', when a worker starts with this state directory: none runs now',
  'in-a-fleet':
    ', when the worker of this state directory starts: it does not run now; ask at one of the fleet that runs, and that one does it',
}

const SAID = {
  retry: 'will be retried',
  rerun: 'will be run again, and its result sent to its sender as a new clink',
  elsewhere:
    'is run again by another worker of the fleet: if that one is gone, ask once more when `clink-worker status --fleet` says that it is silent',
  discard: 'discarded',
}
