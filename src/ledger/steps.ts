import { hash } from 'node:crypto'
import { Recent } from '../base/recent.ts'
import type { Clink } from '../clink/records.ts'
import type { Progress } from './progress.ts'
import type { Sleep } from './sleep.ts'
import { stepKey, type KeptStep, type StepTable } from './step-table.ts'

export type { KeptStep } from './step-table.ts'

/** How many sleeps this process times by a clock that nobody sets. */
const SLEEPS = 10_000

/** What is kept of one clink, by `stepKey`. */
export type KeptSteps = ReadonlyMap<string, KeptStep>

/**
 * The steps of clinks that are not done yet. They belong to the clink and its content, whichever run did them, and are kept until the clink is
 * settled, or nothing else is remembered of it.
 */
export class Steps {
  readonly #table: StepTable
  readonly #progress: Progress
  readonly #wall: () => number
  /** Local times at which sleeps end that this process knows of. */
  readonly #ends = new Recent<number>(SLEEPS)

  constructor(table: StepTable, progress: Progress, wall: () => number) {
    this.#table = table
    this.#progress = progress
    this.#wall = wall
  }

  /** What is kept of the clink as it is now. @throws {Error} where that cannot be read. */
  async of({ clink_id: id, content }: Clink): Promise<KeptSteps> {
    const memory = this.#progress.memoryOf(id)
    // Of a clink that nobody has started before there is nothing to look for. By its next start another member of a fleet may have done some, unheard.
    if (memory?.mayHaveSteps === false) {
      memory.mayHaveSteps = true
      return new Map()
    }
    const print = fingerprint(content)
    const kept = (await this.#table.of(id)).filter((step) => step.content === print)
    return new Map(kept.map((step) => [stepKey(step), step]))
  }

  /**
   * Keeps one. The run that has done it may have lost its claim by then: it did happen.
   *
   * @returns resolves when it is written, and not while the store fails.
   */
  async keep({ clink_id: id, content }: Clink, step: Omit<KeptStep, 'at' | 'content'>): Promise<void> {
    const memory = this.#progress.memoryOf(id)
    if (memory !== undefined) memory.mayHaveSteps = true
    await this.#table.set(id, { ...step, at: this.#wall(), content: fingerprint(content) })
  }

  async forget({ clink_id: id }: Clink, step: Pick<KeptStep, 'is' | 'name'>): Promise<void> {
    await this.#table.delete(id, step)
  }

  /**
   * When a sleep ends, in local time. Setting the wall clock does not make it longer: this process starts a clock that nobody sets when it
   * notes or first sees it, and waits no longer than was noted.
   *
   * @param isNew nobody has slept it before: what is known of another one by this name is over.
   */
  endOf({ clink_id: id }: Clink, name: string, { at, for: ms }: Sleep, clock: SleepClock, isNew: boolean): number {
    const key = `${id} ${name}`
    const known = isNew ? undefined : this.#ends.get(key)
    const end = known ?? clock.now() + Math.min(at - clock.wall(), ms)
    this.#ends.set(key, end)
    return end
  }
}

export interface SleepClock {
  now(): number
  wall(): number
}

function fingerprint(content: string): string {
  return hash('sha256', content, 'base64url')
}
