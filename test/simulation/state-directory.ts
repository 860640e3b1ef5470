import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Journal, type JournalOptions } from '../../src/journal/journal.ts'
import { tablesOf } from '../../src/journal/state.ts'
import type { Fleet } from '../../src/ledger/fleet.ts'
import { Ledger, type LedgerTables } from '../../src/ledger/ledger.ts'
import type { Chance } from './chance.ts'
import { FAST, SlowStore, type StorePlan } from './slow-store.ts'
import type { Host, VirtualTime } from './virtual-time.ts'

/** Memory where there is such a place, since ten thousand seeds write a lot. */
const PLACES = ['/dev/shm', tmpdir()]
/** Directories that are in use. What is left of them goes with the process. */
const open = new Set<string>()
process.once('exit', () => open.forEach(remove))

/**
 * What the processes of one worker leave to each other: a real journal in a directory of its own. A commit takes a moment of virtual
 * time; the crash of the process before its end loses it.
 */
export class StateDirectory {
  /** Stands for the session that its processes share. */
  readonly name: string
  /** The session id that they really have, once seen. */
  session: string | undefined
  #path: string | undefined
  readonly #journals = new Set<Journal>()
  #isOver = false
  #last: { readonly journal: Journal; readonly store: SlowStore; readonly host: Host } | undefined

  constructor(name: string) {
    this.name = name
  }

  /** @param breakage what becomes of the journal's tables for this process, to break it on purpose. */
  open(
    {
      time,
      host,
      chance,
      plan = FAST,
      join,
    }: {
      time: VirtualTime
      host: Host
      chance: Chance
      plan?: StorePlan | undefined
      /** Makes it a member of a fleet, over its own tables. */
      join?: (local: LedgerTables) => Fleet
    },
    wall: () => number,
    breakage = (real: LedgerTables): LedgerTables => real,
  ): Ledger {
    if (this.#last?.host.isDead === false) throw new Error(`the state directory of ${this.name} is in use`)
    this.#path ??= makeDirectory()
    const store = new SlowStore(plan, this.#path, time, host, chance)
    const journal = this.#open(
      (commit, wait) => store.schedule(commit, wait),
      () => store.isFailing,
    )
    this.#journals.add(journal)
    this.#last = { journal, store, host }
    const local = breakage(tablesOf(journal))
    const fleet = join?.(local)
    const isHealthy = (): boolean => journal.isHealthy
    return new Ledger(fleet?.tables ?? local, isHealthy, wall, () => time.now, fleet)
  }

  /** What the last process has noted and not written. */
  get unwritten(): Pick<SlowStore, 'unwrittenSince' | 'failedSince'> {
    return this.#last?.store ?? { unwrittenSince: undefined, failedSince: undefined }
  }

  /** The last process ends in order: it writes what is left, if it can. */
  end(): void {
    const { journal, store } = this.#last ?? {}
    if (journal === undefined || !this.#journals.delete(journal)) return
    store?.commit(() => journal.close())
  }

  /** For a change by hand that is over before the next process opens it. */
  visit(wall: () => number): { readonly ledger: Ledger; readonly close: () => void } {
    const journal = this.#open((commit) => {
      queueMicrotask(commit)
      return () => {}
    })
    return { ledger: new Ledger(tablesOf(journal), () => journal.isHealthy, wall), close: () => journal.close() }
  }

  #open(schedule: NonNullable<JournalOptions['schedule']>, mayFail = (): boolean => false): Journal {
    this.#path ??= makeDirectory()
    return new Journal({
      directory: this.#path,
      sync: 'normal',
      onHealth: (problem) => {
        if (problem !== undefined && !mayFail() && !this.#isOver)
          throw new Error(`the journal cannot be written: ${problem}`)
      },
      schedule,
    })
  }

  /** Nobody reads it any more: what crashed processes had not written may not fit what others have. */
  close(): void {
    this.#isOver = true
    for (const journal of this.#journals) journal.close()
    if (this.#path !== undefined) remove(this.#path)
  }
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true })
  open.delete(path)
}

function makeDirectory(): string {
  for (const place of PLACES) {
    try {
      const path = mkdtempSync(join(place, 'clink-worker-simulation-'))
      open.add(path)
      return path
    } catch {
      // Then the next.
    }
  }
  throw new Error(`no directory can be made in ${PLACES.join(' or ')}`)
}
