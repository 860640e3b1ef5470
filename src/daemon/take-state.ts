import { sleep, systemClock } from '../base/clock.ts'
import type { Emit } from '../events.ts'
import { openState, type State } from '../journal/state.ts'
import { shareBy, type ShareParts } from './share.ts'

/** Milliseconds that an end waits for a fleet to be told what it does not know. What is left is told by the next start. */
const LEAVING = 2_000

/** The state directory for this process alone, and the fleet with which it remembers. */
export async function takeState(parts: ShareParts, emit: Emit): Promise<State> {
  const { directory, sync } = parts.config.state
  const state = openState({
    directory,
    sync,
    share: await shareBy(parts, emit),
    onHealth: (problem) =>
      emit(problem === undefined ? { event: 'journal.recovered' } : { event: 'journal.failed', problem }),
    onLost: (problem) => emit({ event: 'state.lost', problem }),
  })
  await state.fleet?.start()
  return state
}

export async function leaveState(state: State | undefined): Promise<void> {
  if (state?.fleet !== undefined) await Promise.race([state.fleet.stop(), sleep(systemClock(), LEAVING)])
  state?.close()
}
