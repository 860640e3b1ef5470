import { workerOf } from '../plan.ts'
import type { Evidence } from '../judge.ts'
import { journalledBy } from './restarts.ts'

/**
 * Whether a process cannot know whose it is: those before it that had found that out crashed before it was written, and it has not found it
 * out itself. With a strange key it takes itself for whom that belongs to.
 */
export function hasForgottenOwner({ plan, record }: Evidence, life: string): boolean {
  const { startedAt, state } = record.life(life)
  const { config, owner } = workerOf(plan, life)
  if (config.clink.identity !== 'auto') return false
  const lives = [...record.lives.values()].filter((one) => one.state === state && one.startedAt <= startedAt)
  const found = lives.flatMap((one) => {
    const told = record.eventsByLife.get(one.name) ?? []
    const at = told.find(({ event }) => event.event === 'worker.identity' && event.identity === owner)?.at
    return at === undefined ? [] : [{ at, by: one }]
  })
  const isWritten = found.some(({ at, by }) => by.name === life || by.crashedAt === undefined || at <= journalledBy(by))
  return found.length > 0 && !isWritten
}
