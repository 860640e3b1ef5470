import { readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { tryTo } from '../../base/try-to.ts'
import { backUp, copiesBeside, journalFacts, restore } from '../../journal/copies.ts'
import { JOURNAL_VERSION } from '../../journal/migrations.ts'
import { needState } from '../terminal/reach-state.ts'
import type { Io } from '../terminal/io.ts'
import { table } from '../terminal/table.ts'

const NAMES: Readonly<Record<string, string>> = {
  letters: 'dead letters',
  results: 'results that Clink has not confirmed',
  late: 'results that came too late',
  in_hand: 'claims in hand',
  parked: 'claims on clinks that are not run now',
  attempts: 'clinks with attempts',
  cooling: 'clinks left alone for a while',
  own: 'clinks that this worker sent',
  steps: 'steps that are done',
  programs: 'programs that run',
}

/** @throws {CodedError} STATE_UNUSABLE when there is nothing, or nothing that can be read. */
export function showState(directory: string, isJson: boolean, io: Io): void {
  needState(directory)
  const journal = journalFacts(join(directory, 'journal.db'))
  const holder = tryTo(() => readFileSync(join(directory, 'owner'), 'utf8').trim())
  const copies = copiesBeside(directory).map((file) => {
    const { mtime, size } = statSync(file)
    return { file, bytes: size, from: mtime.toISOString() }
  })
  if (isJson) {
    io.out(`${JSON.stringify({ directory, holder: holder ?? null, known: JOURNAL_VERSION, journal, copies })}\n`)
    return
  }
  const { bytes, rows, version } = journal
  io.out(
    table([
      ['directory', directory],
      ['held by', holder ?? 'nobody'],
      [
        'journal',
        `${size(bytes)}, version ${version}${version === JOURNAL_VERSION ? '' : ` (this clink-worker writes ${JOURNAL_VERSION})`}`,
      ],
      ...Object.entries(rows).map(([name, count]) => [NAMES[name] ?? name, String(count)]),
      ...copies.map((copy) => ['copy', `${copy.file}, ${size(copy.bytes)}, ${copy.from}`]),
    ]),
  )
}

export function backUpState(directory: string, file: string, io: Io): void {
  needState(directory)
  const target = resolve(io.cwd, file)
  backUp(directory, target)
  io.out(
    `${target}: ${size(statSync(target).size)}, readable by you alone: it has the texts of clinks and answers in it\n`,
  )
}

export function restoreState(directory: string, file: string, io: Io): void {
  const source = resolve(io.cwd, file)
  const before = restore(directory, source)
  io.out(`${directory} has the journal of ${source} now\n`)
  if (before !== undefined) io.out(`the one that was there is ${before}\n`)
  io.out('what was settled since that copy was made may run again; its claims are left to run out\n')
}

function size(bytes: number): string {
  return bytes < 1_048_576 ? `${Math.ceil(bytes / 1_024)} KiB` : `${(bytes / 1_048_576).toFixed(1)} MiB`
}
