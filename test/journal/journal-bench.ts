import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Journal, type JournalOptions } from '../../src/journal/journal.ts'
import type { JournalTable } from '../../src/journal/table.ts'
import type { Health } from '../support/states.ts'
import { TempDir } from '../support/temp-dir.ts'

export const asText = (row: unknown): string | undefined => (typeof row === 'string' ? row : undefined)
export const factsOf = (journal: Journal): JournalTable<string, never> => journal.table('facts', {}, asText)

interface Due {
  readonly commit: () => void
  /** Milliseconds. */
  readonly wait: number
}

/** A journal in a directory of its own, whose commits the test makes: `using`. */
export class JournalBench implements Disposable {
  readonly told: Health[] = []
  due: Due[] = []
  readonly #directory = new TempDir()
  #isClosed = false
  journal = this.opened()
  facts = factsOf(this.journal)

  get directory(): string {
    return this.#directory.path
  }

  get file(): string {
    return join(this.directory, 'journal.db')
  }

  opened(more: Partial<JournalOptions> = {}): Journal {
    return new Journal({
      directory: this.directory,
      sync: 'normal',
      onHealth: (problem) => this.told.push(problem),
      schedule: (commit, wait) => {
        const one = { commit, wait }
        this.due.push(one)
        return () => (this.due = this.due.filter((other) => other !== one))
      },
      ...more,
    })
  }

  close(): void {
    if (!this.#isClosed) this.journal.close()
    this.#isClosed = true
  }

  /** @param more options; `schedule` undefined: commits are made by themselves. */
  reopen(more: object = {}): void {
    this.close()
    this.journal = this.opened(more)
    this.#isClosed = false
    this.facts = factsOf(this.journal)
  }

  /** What is due is carried out. */
  turn(): void {
    this.due.splice(0).forEach(({ commit }) => commit())
  }

  /** What another reader sees. */
  written(): Record<string, unknown> {
    using reader = new DatabaseSync(this.file, { readOnly: true })
    const rows = reader.prepare('SELECT id, row FROM facts ORDER BY id').all()
    return Object.fromEntries(rows.map(({ id, row }) => [String(id), row]))
  }

  /** Somebody else changes the file. */
  change(sql: string): void {
    using other = new DatabaseSync(this.file)
    other.exec(sql)
  }

  [Symbol.dispose](): void {
    this.close()
    this.#directory[Symbol.dispose]()
  }
}
