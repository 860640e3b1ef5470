import type { Chance } from './chance.ts'
import type { WorkerPlan } from './plan.ts'

/** When somebody looks at the dead letters of a worker, and acts on them. */
export interface LetterPlan {
  readonly at: number
  readonly worker: string
  /** One of them, or all. */
  readonly which: 'one' | 'all'
  readonly what: 'retry' | 'discard'
}

/** In some seeds somebody looks after the letters, and there are more of those whose senders were told. */
const SEEDS = 0.3

export function makeLetters(
  chance: Chance,
  workers: readonly WorkerPlan[],
  horizon: number,
): { readonly letters: readonly LetterPlan[]; readonly workers: readonly WorkerPlan[] } {
  if (!chance.is(SEEDS)) return { letters: [], workers }
  const count = chance.integer(2, 8)
  const letters = Array.from({ length: count }, (): LetterPlan => {
    const { name } = chance.pick(workers)
    const at = chance.between(0.1 * horizon, horizon)
    return { at, worker: name, which: chance.is(0.6) ? 'all' : 'one', what: chance.is(0.9) ? 'retry' : 'discard' }
  })
  return { letters, workers: workers.map((worker) => (chance.is(0.8) ? strict(worker, chance) : worker)) }
}

/** Gives up soon, and tells the sender. */
function strict(worker: WorkerPlan, chance: Chance): WorkerPlan {
  const { retry } = worker.config
  const attempts = chance.integer(1, 2)
  return { ...worker, config: { ...worker.config, retry: { ...retry, attempts, onExhausted: 'complete' } } }
}
