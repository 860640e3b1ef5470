import type { EmulatorClock } from './clock.ts'
import type { ClinkStore } from './store/clink-store.ts'
import type { Ids } from './store/ids.ts'
import type { Tables } from './store/tables.ts'
import type { Switchboard } from './switches.ts'

/** Everything that the service knows, and what it takes time and chance from. */
export interface World {
  readonly tables: Tables
  readonly clinks: ClinkStore
  readonly ids: Ids
  readonly switchboard: Switchboard
  readonly clock: EmulatorClock
  readonly random: () => number
}

/** A time as the service tells it: its clock may differ from ours. */
export function stamp(world: World, ms: number): string {
  return new Date(ms + world.switchboard.rules.clockSkew).toISOString()
}
