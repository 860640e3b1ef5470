import { tryTo } from '../base/try-to.ts'
import { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } from '../base/host-time.ts'
import { statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Cancel } from '../base/clock.ts'
import { asError, CodedError } from '../base/coded-error.ts'
import { closeToOthers, makePrivate } from '../base/private-file.ts'
import { DONE, type Keys } from '../ledger/table.ts'
import { diskSpace } from './disk-space.ts'
import { damageIn } from './integrity.ts'
import { migrate } from './migrations.ts'
import { isCorrupt, isFull, stateError, writeProblem } from './sqlite-error.ts'
import { StepRows } from './step-rows.ts'
import { InHandTable } from './in-hand-table.ts'
import { JournalTable } from './table.ts'
import type { Row } from '../ledger/rows.ts'

const RETRY = 1_000
/** The log is carried over into the file after so many milliseconds, and after so many commits. */
const CHECKPOINT = { every: 10_000, commits: 250 }
/** Bytes that the log keeps when it has been carried over, and at which it is carried over between two commits. */
const LOG_LIMIT = 16_777_216
/**
 * The part of the free space that the log may take before it is carried over. The file grows by up to as much then: a log that has
 * taken all of a small disk could never be carried over, and the disk would stay full for good.
 */
const LOG_PART = 0.25
const PAGE = 4_096
/** A file of so many bytes is checked as a whole at the start, which takes less than a second. */
const CHECKED = 268_435_456

export interface JournalOptions {
  readonly directory: string
  /** `full`: a commit survives the loss of power; `normal`: the end of the process. */
  readonly sync: 'normal' | 'full'
  /** Told what keeps the journal from writing, and `undefined` when it writes again. */
  readonly onHealth: (problem: string | undefined) => void
  /**
   * When a commit is made that gathers the changes until then: by default at the end of the turn, and after a failure when the milliseconds
   * that the journal waits are over.
   */
  readonly schedule?: (commit: () => void, wait: number) => Cancel
}

/** A table of the journal, as a commit writes it. */
interface WrittenTable {
  write(): void
  written(): void
}

/**
 * The worker's durable store: one SQLite file in the state directory, owned by one process.
 *
 * Changes of one turn, of however many deliveries, become one transaction, so the disk does not set the pace. When writing fails
 * the journal says so, keeps every change in memory, tries again each second, and lets its writers go on: what runs is
 * settled from memory, and whoever starts new work asks `isHealthy` first.
 */
export class Journal {
  readonly #file: string
  readonly #database: DatabaseSync
  readonly #begin: StatementSync
  readonly #end: StatementSync
  readonly #options: JournalOptions
  readonly #tables: WrittenTable[] = []
  #commit: Promise<void> | undefined
  #problem: string | undefined
  #isDamaged = false
  /** Set: changes wait until writing is tried again. */
  #cancelRetry: Cancel | undefined
  #wasFull = false
  /** Since the last checkpoint. */
  #commits = 0
  readonly #checkpoint: NodeJS.Timeout

  constructor(options: JournalOptions) {
    this.#options = options
    this.#file = join(options.directory, 'journal.db')
    this.#database = openDatabase(this.#file, options.sync)
    this.#begin = this.#database.prepare('BEGIN IMMEDIATE')
    this.#end = this.#database.prepare('COMMIT')
    this.#boundLog()
    this.#checkpoint = setInterval(() => this.#tryCheckpoint(), CHECKPOINT.every)
    this.#checkpoint.unref()
  }

  get isHealthy(): boolean {
    return this.#problem === undefined
  }

  /** What keeps it from writing; undefined: nothing. */
  get problem(): string | undefined {
    return this.#problem
  }

  /**
   * @param read makes a row of what the file holds; undefined drops it.
   * @throws {CodedError} STATE_UNUSABLE when the file cannot be read, STATE_UNAVAILABLE when it cannot be for now.
   */
  table<Row, Key extends string>(
    name: string,
    keys: Keys<Row, Key>,
    read: (row: unknown) => Row | undefined,
  ): JournalTable<Row, Key> {
    return this.#open(
      (changes) => new JournalTable({ name, keys, read, ...changes, onFailure: (error) => this.#fail(error) }),
    )
  }

  /** The table of the claims in hand; as `table`. */
  inHand(read: (row: unknown) => Row<'claims'> | undefined): InHandTable {
    return this.#open((changes) => new InHandTable({ read, ...changes }))
  }

  /** The steps of clinks; as `table`. */
  steps(): StepRows {
    return this.#open((changes) => new StepRows({ ...changes, onFailure: (error) => this.#fail(error) }))
  }

  #open<Opened extends WrittenTable>(
    open: (changes: { readonly database: DatabaseSync; readonly onChange: () => Promise<void> }) => Opened,
  ): Opened {
    try {
      const table = open({ database: this.#database, onChange: () => this.#changed() })
      this.#tables.push(table)
      return table
    } catch (error) {
      throw unusable(this.#file, error)
    }
  }

  /** Writes what is left and closes the file. */
  close(): void {
    clearInterval(this.#checkpoint)
    this.#write()
    this.#endRetry()
    this.#database.close()
  }

  /** One promise for all that changes in this turn: several are made for each clink. */
  #changed(): Promise<void> {
    if (this.#cancelRetry !== undefined) return DONE
    this.#commit ??= new Promise((resolve) => {
      this.#schedule(() => {
        this.#commit = undefined
        this.#write()
        resolve()
      }, 0)
    })
    return this.#commit
  }

  #write(): void {
    // A change, or another try, may come after the close: there is nothing left to write to, and nothing to say about it.
    if (!this.#database.isOpen) return
    try {
      // Where the log alone fits, it would take what is free, and there would be no room to carry it over.
      if (this.#wasFull) this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      this.#begin.run()
      for (const table of this.#tables) table.write()
      this.#end.run()
      for (const table of this.#tables) table.written()
      this.#commits += 1
      if (this.#commits === CHECKPOINT.commits) setImmediate(() => this.#tryCheckpoint())
      this.#wasFull = false
      this.#endRetry()
      this.#health(undefined)
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      this.#fail(error)
    }
  }

  /** A damaged journal stays damaged: a clink that it has forgotten might run again. What it still takes is written. */
  #fail(error: unknown): void {
    this.#wasFull = isFull(error)
    this.#health(writeProblem(error, this.#options.directory))
    this.#isDamaged ||= isCorrupt(error)
    this.#endRetry()
    this.#cancelRetry = this.#schedule(() => this.#write(), RETRY)
  }

  #endRetry(): void {
    this.#cancelRetry?.()
    this.#cancelRetry = undefined
  }

  #schedule(commit: () => void, wait: number): Cancel {
    const { schedule = inTurns } = this.#options
    return schedule(commit, wait)
  }

  #health(problem: string | undefined): void {
    if (problem === this.#problem || (problem === undefined && this.#isDamaged)) return
    this.#problem = problem
    this.#options.onHealth(problem)
  }

  #tryCheckpoint(): void {
    this.#commits = 0
    // A checkpoint may wait. If writing fails, the write itself reports it. And it was to come after a commit: the close may have come first.
    tryTo(() => this.#database.exec('PRAGMA wal_checkpoint(PASSIVE)'))
    tryTo(() => this.#boundLog())
  }

  /** On a small disk, or one that others fill, the log has to be carried over sooner. */
  #boundLog(): void {
    const { free } = diskSpace(this.#options.directory)
    const pages = Math.ceil(Math.min(LOG_LIMIT, free * LOG_PART) / PAGE)
    this.#database.exec(`PRAGMA wal_autocheckpoint = ${Math.max(1, pages)}`)
  }
}

function inTurns(commit: () => void, wait: number): Cancel {
  if (wait === 0) {
    setImmediate(commit)
    // Writers wait for it: it is never taken back.
    return () => {}
  }
  const timer = setTimeout(commit, wait)
  timer.unref()
  return () => clearTimeout(timer)
}

function openDatabase(file: string, sync: 'normal' | 'full'): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    makePrivate(file)
    // SQLite gives new files beside the journal its mode. Files that a crash left there keep their own.
    for (const beside of ['-wal', '-shm']) closeToOthers(`${file}${beside}`)
    database = new DatabaseSync(file)
    database.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = ${sync}; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = ${LOG_LIMIT}`,
    )
    check(database, file)
    migrate(database, file)
    return database
  } catch (error) {
    database?.close()
    throw error instanceof CodedError ? error : unusable(file, error)
  }
}

/** Finds damage before anything in the file is trusted. In a very large file only reading finds it. */
function check(database: DatabaseSync, file: string): void {
  if (statSync(file).size > CHECKED) return
  const damage = damageIn(database)
  if (damage !== undefined) throw damaged(file, new Error(damage))
}

function unusable(file: string, error: unknown): CodedError {
  if (isCorrupt(error)) return damaged(file, asError(error))
  return stateError(dirname(file), (problem) => `the journal ${file} cannot be opened: ${problem}`, error)
}

function damaged(file: string, cause: Error): CodedError {
  const advice =
    'it is damaged. Move it away to start with an empty one (attempts, dead letters and unsent results in it are then lost), or restore a copy'
  return new CodedError('STATE_UNUSABLE', `the journal ${file} cannot be opened: ${advice}`, { cause })
}
