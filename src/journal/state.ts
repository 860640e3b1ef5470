import { clearInterval, setInterval } from '../base/host-time.ts'
import type { z } from 'zod'
import type { Service } from '../base/service.ts'
import type { Signal } from '../base/signal.ts'
import { CodedError } from '../base/coded-error.ts'
import { JOINED, MEMBER, type Fleet, type FleetView, type MemberSigns } from '../ledger/fleet.ts'
import { Ledger } from '../ledger/ledger.ts'
import type { Keys } from '../ledger/table.ts'
import { tableKeys, type LedgerTables } from '../ledger/tables.ts'
import { Journal, type JournalOptions } from './journal.ts'
import { comparePlaces } from './place.ts'
import { rows } from '../ledger/rows.ts'
import { StateFiles } from './state-files.ts'
import { lockState } from './state-lock.ts'
import type { JournalTable } from './table.ts'

/** A state directory in use: what it remembers, until it is closed. */
export type State = ReturnType<typeof openState>

export interface StateOptions extends Omit<JournalOptions, 'schedule'> {
  /** Told once, when files of it were taken away or exchanged: nothing new starts any more. */
  readonly onLost?: (problem: string) => void
  /** Only a look or a change by hand: whether the directory is a copy stays for the next worker to find out. */
  readonly visit?: true
  /** What is shared with other workers, over the tables of the directory. @param isOurs false: the directory is a copy. */
  readonly share?: ((local: LedgerTables, isOurs: boolean) => SharedFleet) | undefined
}

/** A fleet with a life of its own: it brings the two stores together at its start, and tells what is left at its end. */
interface SharedFleet extends Fleet, Service {
  /** Why it cannot be asked, for people. */
  readonly problem: string | undefined
  readonly name: string
  /** @throws {CodedError} STATE_UNAVAILABLE, for people. */
  look(): Promise<FleetView>
  /** To be told what the worker says of itself to the others. */
  signs: () => MemberSigns | undefined
  /** Reads now what others have changed, pauses among it. */
  lookAgain(): Promise<void>
  /** Clinks whose dead letters another member has had run again. */
  readonly gone: Signal<[clinkId: string]>
  /** Another member is gone, and has made no claim longer for so many milliseconds. */
  readonly departed: Signal<[ago: number]>
}

/** Milliseconds between two looks at the files. */
const LOOK = 5_000

/**
 * Takes a state directory for this process and opens its journal.
 *
 * @throws {CodedError} STATE_BUSY, STATE_UNAVAILABLE or STATE_UNUSABLE, with what to do.
 */
export function openState(options: StateOptions) {
  const lock = lockState(options.directory)
  let journal: Journal | undefined
  try {
    const opened = new Journal(options)
    journal = opened
    const files = new StateFiles(options.directory, options.onLost ?? (() => {}))
    const local = tablesOf(opened)
    const { isOurs, now } = comparePlaces(local.facts.get('place'), options.directory)
    const fleet = options.share?.(local, isOurs)
    if (fleet === undefined) leaveFleet(local, options)
    const isHealthy = (): boolean => opened.isHealthy && files.problem === undefined
    const ledger = new Ledger(fleet?.tables ?? local, isHealthy, undefined, undefined, fleet)
    if (options.visit !== true) void ledger.process.note({ place: now })
    const looks = setInterval(() => files.touch(), LOOK)
    looks.unref()
    return {
      ledger,
      /** To be started before the ledger is used, and stopped before the directory is closed. Undefined: nothing is shared. */
      fleet,
      /** False when the directory is a copy or from another machine: claims and session in it are another worker's. */
      isOurs,
      /** Why the directory cannot be used now, for people; undefined: it can. */
      problem: (): string | undefined =>
        files.problem ??
        (opened.problem === undefined ? fleet?.problem : `the journal cannot be written: ${opened.problem}`),
      /** Whether the directory is this process's alone: false for good once files of it were taken away. */
      isStillOurs: (): boolean => files.problem === undefined,
      close: (): void => {
        clearInterval(looks)
        opened.close()
        lock.release(files.problem === undefined)
      },
    }
  } catch (error) {
    journal?.close()
    lock.release()
    throw error
  }
}

/**
 * A worker that remembers alone again: should it join later, the fleet is told all that it knows by then. What it has run again as a member it
 * goes on with.
 *
 * @throws {CodedError} STATE_UNUSABLE for a visit: what it changed, the fleet would undo.
 */
function leaveFleet({ facts, letters }: LedgerTables, { directory, visit }: StateOptions): void {
  const joined = facts.get(JOINED)
  if (joined === undefined) return
  if (visit === true)
    throw new CodedError(
      'STATE_UNUSABLE',
      `${directory} belongs to a member of the fleet ${joined}: ask by its configuration (--config), which has state.url`,
    )
  void facts.delete(JOINED)
  const member = facts.get(MEMBER)
  for (const [id, { rerun, ...letter }] of letters.between('rerun', 0, Infinity)) {
    if (rerun === undefined || rerun.by !== member) continue
    const { by: _, ...mine } = rerun
    void letters.set(id, { ...letter, rerun: mine })
  }
}

/** What a journal remembers, as the heart asks for it. */
export function tablesOf(journal: Journal): LedgerTables {
  const table = <Row, Key extends string>(
    name: string,
    schema: z.ZodType<Row>,
    keys: Keys<Row, Key>,
  ): JournalTable<Row, Key> => journal.table(name, keys, (row) => schema.safeParse(row).data)
  return {
    attempts: table('attempts', rows.attempts, tableKeys.attempts),
    results: table('results', rows.results, tableKeys.results),
    letters: table('letters', rows.letters, tableKeys.letters),
    cooling: table('cooling', rows.cooling, tableKeys.cooling),
    own: table('own', rows.own, tableKeys.own),
    claims: journal.inHand((row) => rows.claims.safeParse(row).data),
    parked: table('parked', rows.parked, {}),
    late: table('late', rows.late, tableKeys.late),
    audit: table('audit', rows.audit, {}),
    programs: table('programs', rows.programs, {}),
    facts: table('facts', rows.facts, {}),
    untold: table('untold', rows.untold, {}),
    steps: journal.steps(),
  }
}
