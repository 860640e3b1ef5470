import { Recent } from '../base/recent.ts'
import { stepKey, type KeptStep, type StepTable } from './step-table.ts'

/** Steps that end with the process. */
export class MemorySteps implements StepTable {
  readonly #clinks: Recent<Map<string, KeptStep>>

  /** @param capacity of how many clinks; the oldest are forgotten first. */
  constructor(capacity: number) {
    this.#clinks = new Recent(capacity)
  }

  async of(clinkId: string): Promise<readonly KeptStep[]> {
    return await Promise.resolve([...(this.#clinks.get(clinkId)?.values() ?? [])])
  }

  async set(clinkId: string, step: KeptStep): Promise<void> {
    const steps = this.#clinks.get(clinkId) ?? new Map<string, KeptStep>()
    this.#clinks.set(clinkId, steps.set(stepKey(step), step))
    await Promise.resolve()
  }

  async delete(clinkId: string, step: Pick<KeptStep, 'is' | 'name'>): Promise<void> {
    this.#clinks.get(clinkId)?.delete(stepKey(step))
    await Promise.resolve()
  }

  async drop(clinkId: string): Promise<void> {
    this.#clinks.delete(clinkId)
    await Promise.resolve()
  }
}
