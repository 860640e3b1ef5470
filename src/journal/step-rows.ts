import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { step as schema } from '../ledger/rows.ts'
import { DONE } from '../ledger/table.ts'
import { stepKey, type KeptStep, type StepTable } from '../ledger/step-table.ts'

export interface StepRowsOptions {
  readonly database: DatabaseSync
  /** Resolves when what has changed is written, or when the journal has said that it cannot write. */
  readonly onChange: () => Promise<void>
  /** The file cannot be read. */
  readonly onFailure: (error: unknown) => void
}

/** What is not written yet of one clink. */
interface Changes {
  /** All that the file holds of it is to be deleted first. */
  isDropped: boolean
  readonly steps: Map<string, KeptStep | Removed>
}

type Removed = Pick<KeptStep, 'is' | 'name'> & { readonly value?: undefined }

/**
 * Steps in the file, a row each. Nothing of them is in memory but what is not written yet: whoever runs a clink has read its own. A commit
 * that fails loses nothing, and who waits for the row waits on until a later one has written it.
 */
export class StepRows implements StepTable {
  readonly #options: StepRowsOptions
  readonly #changed = new Map<string, Changes>()
  readonly #statements: Readonly<Record<'any' | 'of' | 'upsert' | 'delete' | 'drop', StatementSync>>
  #written: PromiseWithResolvers<void> | undefined
  /** The file may hold some. Where no handler has steps it holds none, and every clink that is done is to lose its own. */
  #isFilled: boolean

  constructor(options: StepRowsOptions) {
    const { database } = options
    this.#options = options
    this.#statements = {
      any: database.prepare('SELECT 1 FROM steps LIMIT 1'),
      of: database.prepare('SELECT kind AS "is", name, content, value, at FROM steps WHERE clink = ?'),
      upsert: database.prepare(
        'INSERT INTO steps (clink, kind, name, content, value, at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET content = excluded.content, value = excluded.value, at = excluded.at',
      ),
      delete: database.prepare('DELETE FROM steps WHERE clink = ? AND kind = ? AND name = ?'),
      drop: database.prepare('DELETE FROM steps WHERE clink = ?'),
    }
    this.#isFilled = this.#statements.any.get() !== undefined
  }

  async of(clinkId: string): Promise<readonly KeptStep[]> {
    const changes = this.#changed.get(clinkId)
    const inFile = changes?.isDropped === true ? [] : this.#inFile(clinkId)
    const steps = new Map([...inFile.map((step) => [stepKey(step), step] as const), ...(changes?.steps ?? [])])
    return await Promise.resolve([...steps.values()].filter((step) => step.value !== undefined))
  }

  async set(clinkId: string, step: KeptStep): Promise<void> {
    this.#changes(clinkId).steps.set(stepKey(step), step)
    await this.#untilWritten()
  }

  async delete(clinkId: string, step: Pick<KeptStep, 'is' | 'name'>): Promise<void> {
    this.#changes(clinkId).steps.set(stepKey(step), { is: step.is, name: step.name })
    await this.#untilWritten()
  }

  /** Resolves as other tables do: nobody waits for it to be gone. */
  drop(clinkId: string): Promise<void> {
    if (!this.#isFilled && !this.#changed.has(clinkId)) return DONE
    const changes = this.#changes(clinkId)
    changes.isDropped = true
    changes.steps.clear()
    return this.#options.onChange()
  }

  /** Writes what has changed, inside the journal's transaction. */
  write(): void {
    const { delete: remove, drop, upsert } = this.#statements
    for (const [clinkId, { isDropped, steps }] of this.#changed) {
      if (isDropped) drop.run(clinkId)
      for (const step of steps.values()) {
        if (step.value === undefined) remove.run(clinkId, step.is, step.name)
        else upsert.run(clinkId, step.is, step.name, step.content, step.value, step.at ?? null)
      }
    }
  }

  /** The transaction was committed. */
  written(): void {
    if (this.#changed.size === 0) return
    this.#changed.clear()
    this.#isFilled = this.#statements.any.get() !== undefined
    this.#written?.resolve()
    this.#written = undefined
  }

  #changes(clinkId: string): Changes {
    const changes = this.#changed.get(clinkId) ?? { isDropped: false, steps: new Map() }
    this.#changed.set(clinkId, changes)
    return changes
  }

  async #untilWritten(): Promise<void> {
    this.#written ??= Promise.withResolvers()
    const { promise } = this.#written
    void this.#options.onChange()
    await promise
  }

  #inFile(clinkId: string): readonly KeptStep[] {
    try {
      return this.#statements.of.all(clinkId).flatMap((row) => schema.safeParse(row).data ?? [])
    } catch (error) {
      this.#options.onFailure(error)
      throw error
    }
  }
}
