import type { Chance } from './chance.ts'
import type { Turn } from './plan.ts'

/** What happens to the processes of a worker. */
export function makeTurns(chance: Chance, lease: number, horizon: number): readonly Turn[] {
  const count = chance.pick([0, 0, 1, 1, 2, 4])
  const turns = Array.from({ length: count }, () => ({
    at: chance.between(0, horizon),
    what: chance.weighted({ stop: 2, 'stop-and-hurry': 1, crash: 4, sleep: 3, 'wall-jump': 1 }),
    ms: chance.logarithmic(100, 2 * lease),
  }))
  return turns.sort((a, b) => a.at - b.at)
}
