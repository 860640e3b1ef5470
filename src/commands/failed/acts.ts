import { CodedError, EXIT } from '../../base/coded-error.ts'
import { printable } from '../../observe/printable.ts'
import type { Clink } from '../../clink/records.ts'
import type { Choice } from '../../ledger/choice.ts'
import type { LetterChange } from '../../ledger/dead-letters.ts'
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
  readonly error?: string
  readonly json?: true
}

/** So many of the last lines of a clink's own log are shown. */
const LAST = 20

export async function listFailed(options: FailedOptions, io: Io): Promise<void> {
  await withLetters(options, io, async (failed) => {
    if (options.late === true) {
      const results = await failed.late(choiceOf(options), (one) => withoutText({ ...one, response: '' }))
      io.out(options.json === true ? json(results.map(lateSummary)) : lateText(results, io))
      return
    }
    const letters = await failed.letters(choiceOf(options), (one) => ({ ...withoutText(one), errors: [] }))
    io.out(options.json === true ? json(letters.map(summary)) : lettersText(letters, io))
  })
}

export async function showFailed(id: string, options: FailedOptions, io: Io): Promise<void> {
  const mayShow = await showsContent(options, io)
  await withLetters(options, io, async (failed, directory) => {
    const letter = await failed.letter(id)
    const late = (await failed.late({}, (one) => one)).filter(({ clink }) => clink.clink_id === id)
    const last = letter ?? late.at(-1)
    if (last === undefined) {
      io.problem(printable(unknown(id)))
      return io.finish(EXIT.failed)
    }
    const said = (await new ClinkLogReader(logsOf(directory), id).next()).slice(-LAST)
    const log = said.map(logText(io)).join('')
    const steps = letter === undefined ? [] : await failed.steps(id, mayShow)
    const shown = { clink: last.clink, letter, late, steps }
    io.out(options.json === true ? json({ ...whole(shown), log: said }) : wholeText({ ...shown, log }))
  })
}

export async function changeFailed(
  what: 'retry' | 'discard',
  ids: readonly string[],
  options: FailedOptions,
  io: Io,
): Promise<void> {
  const isFiltered = options.all === true || options.group !== undefined || options.error !== undefined
  if (ids.length === 0 && !isFiltered) {
    throw new CodedError('USAGE', `failed ${what}: say which: ids, --group, --error or --all`)
  }
  if (ids.length > 0 && isFiltered) {
    throw new CodedError('USAGE', `failed ${what}: name ids or choose with --group, --error or --all, not both`)
  }
  await withLetters(options, io, async (failed) => {
    const named = isFiltered ? await failed.letters(choiceOf(options), ({ clink }) => clink.clink_id) : ids
    const changes: { clink_id: string; result: LetterChange }[] = []
    for (const id of new Set(named)) {
      const result = await failed.change(what, id)
      changes.push({ clink_id: id, result })
      if (result === 'unknown') io.problem(printable(unknown(id)))
      else if (options.json !== true) io.out(`${printable(id)} ${SAID[result === 'rerun' ? result : what]}\n`)
    }
    if (options.json === true) io.out(json(changes))
    else if (changes.length === 0) io.out('no dead letters\n')
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
    failed.close()
  }
}

function choiceOf({ error, group }: FailedOptions): Choice {
  return { ...(error === undefined ? {} : { error }), ...(group === undefined ? {} : { group }) }
}

/** As it is listed. */
function withoutText<One extends { readonly clink: Clink }>(one: One): One {
  return { ...one, clink: { ...one.clink, content: '' } }
}

function unknown(id: string): string {
  return `${id} is not among the dead letters; \`clink-worker failed list\` shows them`
}

const SAID = {
  retry: 'will be retried',
  rerun: 'will be run again, and its result sent to its sender as a new clink',
  discard: 'discarded',
}
