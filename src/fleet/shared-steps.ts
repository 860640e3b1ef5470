import { readSleep, writeSleep } from '../ledger/sleep.ts'
import { stepKey, type KeptStep, type StepTable } from '../ledger/step-table.ts'
import type { Exchange } from './exchange.ts'
import type { Batch, SharedStore } from './store.ts'

/** What the fleet does not know yet of one clink. */
interface Changed {
  /** All that it knows is to be forgotten first. */
  readonly isDropped: boolean
  readonly steps: ReadonlyMap<string, KeptStep | Removed>
  /** Called when it knows. */
  readonly waiting: readonly (() => void)[]
}

type Removed = Pick<KeptStep, 'is' | 'name'> & { readonly value?: undefined }

const NOTHING: Changed = { isDropped: false, steps: new Map(), waiting: [] }

/**
 * Steps in the store of a fleet: whoever runs the clink next has to know them, so a step is kept when the fleet knows it, and not before. Those that
 * this worker kept before there was a fleet are read from its own table.
 */
export class SharedSteps implements StepTable {
  readonly #local: StepTable
  readonly #store: SharedStore
  readonly #exchange: Exchange
  readonly #wall: () => number
  readonly #changed = new Map<string, Changed>()
  /** Being written, or written without an answer. */
  readonly #sent = new Map<string, Changed>()

  constructor(local: StepTable, store: SharedStore, exchange: Exchange, wall: () => number) {
    this.#local = local
    this.#store = store
    this.#exchange = exchange
    this.#wall = wall
  }

  async of(clinkId: string): Promise<readonly KeptStep[]> {
    const kept = [...(await this.#local.of(clinkId)), ...(await this.#read(clinkId))]
    const { isDropped, steps } = this.#untold(clinkId)
    const known = isDropped ? [] : kept.map((step) => [stepKey(step), step] as const)
    return [...new Map([...known, ...steps]).values()].filter((step) => step.value !== undefined)
  }

  async set(clinkId: string, step: KeptStep): Promise<void> {
    await this.#tell(clinkId, [step])
  }

  async delete(clinkId: string, { is, name }: Pick<KeptStep, 'is' | 'name'>): Promise<void> {
    await Promise.all([this.#local.delete(clinkId, { is, name }), this.#tell(clinkId, [{ is, name }])])
  }

  /** Nobody waits for it to be gone. */
  drop(clinkId: string): Promise<void> {
    const { waiting } = this.#changed.get(clinkId) ?? NOTHING
    this.#changed.set(clinkId, { isDropped: true, steps: new Map(), waiting })
    void this.#exchange.tell({ kind: 'step', id: clinkId }, true)
    return this.#local.drop(clinkId)
  }

  /** What is to be written of these clinks. */
  compile(clinkIds: readonly string[]): Batch['steps'] {
    const all = clinkIds.map((clink) => {
      const untold = this.#untold(clink)
      this.#sent.set(clink, untold)
      this.#changed.delete(clink)
      return { clink, ...untold }
    })
    const steps = all.flatMap((one) => [...one.steps.values()].map((step) => ({ clink: one.clink, ...step })))
    return {
      dropped: all.filter(({ isDropped }) => isDropped).map(({ clink }) => clink),
      removed: steps.flatMap(({ clink, is, name, value }) => (value === undefined ? [{ clink, is, name }] : [])),
      kept: steps.flatMap((step) => (step.value === undefined ? [] : [step])),
    }
  }

  /** The fleet knows what was compiled of the clink. */
  told(clinkId: string): void {
    const { waiting } = this.#sent.get(clinkId) ?? NOTHING
    this.#sent.delete(clinkId)
    for (const resolve of waiting) resolve()
  }

  /** What was sent and perhaps not written, and what has changed since, as one. */
  #untold(clinkId: string): Changed {
    const [before, since] = [this.#sent.get(clinkId) ?? NOTHING, this.#changed.get(clinkId) ?? NOTHING]
    return {
      isDropped: before.isDropped || since.isDropped,
      steps: since.isDropped ? since.steps : new Map([...before.steps, ...since.steps]),
      waiting: [...before.waiting, ...since.waiting],
    }
  }

  async #tell(clinkId: string, steps: readonly (KeptStep | Removed)[]): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = this.#changed.get(clinkId) ?? NOTHING
    const changed = new Map([...before.steps, ...steps.map((step) => [stepKey(step), step] as const)])
    this.#changed.set(clinkId, { ...before, steps: changed, waiting: [...before.waiting, resolve] })
    void this.#exchange.tell({ kind: 'step', id: clinkId })
    await promise
  }

  /** A sleep ends when its time is over since the store has it: the clock of the member that has begun it may be another one. */
  #byOwnClock(step: KeptStep, age: number): KeptStep {
    const sleep = step.is === 'sleep' ? readSleep(step.value) : undefined
    if (sleep === undefined) return step
    return { ...step, value: writeSleep({ ...sleep, at: this.#wall() + sleep.for - age }) }
  }

  async #read(clinkId: string): Promise<readonly KeptStep[]> {
    try {
      const steps = await this.#store.steps(clinkId)
      return steps.map(({ age, ...step }) => (age === undefined ? step : this.#byOwnClock(step, age)))
    } catch (error) {
      this.#exchange.failed(error)
      throw error
    }
  }
}
