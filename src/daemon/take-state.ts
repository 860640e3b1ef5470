import { sleep, systemClock, type Clock } from '../base/clock.ts'
import type { Emit } from '../events.ts'
import { openState, type State } from '../journal/state.ts'
import { shareBy, type ShareParts } from './share.ts'

/** Milliseconds that a start waits for its fleet at most: the claims that its journal knows run out meanwhile. */
const ENTERING = 1_000
/** Milliseconds that an end waits for a fleet to be told what it does not know. What is left is told by the next start. */
const LEAVING = 2_000

type SharedFleet = NonNullable<State['fleet']>

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
  if (state.fleet !== undefined) await enterFleet(state.fleet)
  return state
}

/** Resolves when the two stores were brought together, or that takes its time: until then nothing starts, as while the store is away. */
export async function enterFleet(fleet: Pick<SharedFleet, 'start'>, clock = systemClock()): Promise<void> {
  await within(ENTERING, fleet.start(), clock)
}

export async function leaveFleet(fleet: Pick<SharedFleet, 'stop'>, clock = systemClock()): Promise<void> {
  await within(LEAVING, fleet.stop(), clock)
}

async function within(ms: number, done: void | Promise<void>, clock: Clock): Promise<void> {
  const over = new AbortController()
  await Promise.race([done, sleep(clock, ms, over.signal)])
  over.abort()
}

export async function leaveState(state: State | undefined): Promise<void> {
  if (state?.fleet !== undefined) await leaveFleet(state.fleet)
  state?.close()
}
