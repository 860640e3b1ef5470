import type { DeadLetter } from '../../src/ledger/dead-letters.ts'
import type { ByOthers, Fleet, Member } from '../../src/ledger/fleet.ts'
import { NONE } from '../../src/ledger/remembered.ts'
import { BareFleet } from './bare-fleet.ts'

/** What others have done who have done nothing. */
export const nothingByOthers: ByOthers = { attempts: NONE, begun: [], overLetters: [] }

/** A member `one` of a fleet, of which a test says what the others do. */
export class ScriptedFleet extends BareFleet {
  /** What it was asked and told, in order. */
  readonly told: string[] = []
  /** By clink; null: nothing was read of it. */
  readonly others = new Map<string, ByOthers | null>()
  readonly givenUp = new Set<string>()
  /** Clinks of which a part of this member begins. */
  readonly begins: string[] = []
  /** Clinks of which it was not told yet. */
  readonly untold = new Set<string>()
  /** Undefined: that cannot be read. */
  members: readonly Pick<Member, 'isSilent' | 'member'>[] | undefined
  /** While a letter is written or it is looked who is there, the others may do something. */
  meanwhile = (): void => {}
  readonly #set = this.tables.letters.set.bind(this.tables.letters)
  #changed: Parameters<Fleet['onLetter']>[0] = () => {}

  constructor() {
    super()
    this.tables.letters.set = async (id, letter) => {
      await this.#set(id, letter)
      this.meanwhile()
    }
  }

  /** Another member changes a letter. */
  change(id: string, letter: DeadLetter | undefined): void {
    void (letter === undefined ? this.tables.letters.delete(id) : this.#set(id, letter))
    this.#changed(id, letter)
  }

  override readonly onLetter: Fleet['onLetter'] = (changed) => {
    this.#changed = changed
  }

  override readonly recall: Fleet['recall'] = async (ids) => {
    await Promise.resolve(this.told.push(`recall ${ids.join(', ')}`))
  }

  override readonly of: Fleet['of'] = (id) => {
    const known = this.others.get(id)
    return known === null ? undefined : (known ?? 'none')
  }

  override readonly isOld: Fleet['isOld'] = (id) => this.others.get(id) === null

  override readonly isTold: Fleet['isTold'] = (id) => !this.untold.has(id)

  override readonly changed: Fleet['changed'] = (id, _, __, isNew) => {
    if (isNew === true) this.begins.push(id)
  }

  override readonly isOver: Fleet['isOver'] = (id) => this.givenUp.has(id)

  override readonly over: Fleet['over'] = async (id) => {
    await Promise.resolve(this.told.push(`over ${id}`))
    this.meanwhile()
  }

  override readonly outdated: Fleet['outdated'] = (id) => {
    this.told.push(`outdated ${id}`)
    this.others.set(id, null)
  }

  override readonly prune: Fleet['prune'] = async (keep) => {
    await Promise.resolve(this.told.push(`prune ${keep}`))
  }

  override readonly look: Fleet['look'] = async () => {
    this.meanwhile()
    if (this.members === undefined) throw new Error('the store is away')
    const rest = { name: 'm', version: '1.0.0', seen: 0, age: 0, signs: null }
    const members = this.members.map((member) => ({ ...rest, ...member }))
    return await Promise.resolve({ fleet: 'f', place: 'p', members, pauses: [] })
  }
}
