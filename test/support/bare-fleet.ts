import { Signal } from '../../src/base/signal.ts'
import type { Fleet, FleetPause } from '../../src/ledger/fleet.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'
import { noLimits } from './memory-limits.ts'

const nothing = async (): Promise<void> => await Promise.resolve()

/** A fleet of one, whose others have done nothing: what else it shares is for whoever extends it. */
export class BareFleet implements Fleet {
  readonly tables = memoryTables()
  readonly member = 'one'
  readonly machine = 'here'
  isHealthy = true
  readonly read = new Signal()
  paused: readonly FleetPause[] | undefined
  readonly pauses = { read: this.read, list: (): readonly FleetPause[] | undefined => this.paused }
  readonly recall: Fleet['recall'] = nothing
  readonly over: Fleet['over'] = nothing
  readonly prune: Fleet['prune'] = nothing
  readonly of: Fleet['of'] = () => 'none'
  readonly isOld: Fleet['isOld'] = () => false
  readonly isTold: Fleet['isTold'] = () => true
  readonly isOver: Fleet['isOver'] = () => false
  readonly untilTold: Fleet['untilTold'] = nothing
  readonly siblings: Fleet['siblings'] = () => undefined
  readonly outdated: Fleet['outdated'] = () => {}
  readonly begun: Fleet['begun'] = async (_, here) => await here
  readonly changed: Fleet['changed'] = () => {}
  readonly outlives = (): void => {}
  readonly onLetter: Fleet['onLetter'] = () => {}
  readonly look: Fleet['look'] = async () => await Promise.reject(new Error('nobody is there'))

  get limits(): Fleet['limits'] {
    return noLimits
  }
}
