import { asError } from '../../base/coded-error.ts'
import { Recent } from '../../base/recent.ts'
import type { ClinkApi } from '../../clink/clink-api.ts'
import { ClinkApiError } from '../../clink/errors.ts'
import { orError } from '../../clink/refusals.ts'
import type { Member } from '../../clink/records.ts'
import type { WorkerContext } from '../context.ts'

export interface AgentProfilesOptions extends Pick<WorkerContext, 'clock' | 'closing' | 'signals'> {
  readonly api: Pick<ClinkApi, 'listMembers'>
}

interface Group {
  readonly askedAt: number
  readonly members: ReadonlySet<string>
  readonly agents: ReadonlySet<string>
}

const PREFIX = 'ap_'
/** How many groups are remembered. */
const GROUPS = 1_000
const ASKED_EVERY = 3_600_000

/**
 * Which members are agents. An id tells it, or the list of a group's members does. Nothing waits for that list: what is answered before
 * it has come goes out as to a person, and no circle is made of that.
 */
export class AgentProfiles {
  readonly #options: AgentProfilesOptions
  readonly #groups = new Recent<Group>(GROUPS)

  constructor(options: AgentProfilesOptions) {
    this.#options = options
  }

  /** @param id of somebody in the group; undefined: of nobody in particular. */
  has(id: string | undefined, groupId: string): boolean {
    if (id === undefined || id.startsWith(PREFIX)) return id !== undefined
    const group = this.#groups.get(groupId)
    const isDue = group === undefined || this.#options.clock.now() >= group.askedAt + ASKED_EVERY
    if (isDue && group?.members.has(id) !== true)
      this.#look(groupId).catch((error: unknown) => this.#options.signals.crashed.say('members', asError(error)))
    return group?.agents.has(id) === true
  }

  async #look(groupId: string): Promise<void> {
    const { api, clock, closing: signal } = this.#options
    const { agents = new Set<string>(), members = new Set<string>() } = this.#groups.get(groupId) ?? {}
    const askedAt = clock.now()
    this.#groups.set(groupId, { askedAt, members, agents })
    const found = await orError(api.listMembers({ group_id: groupId }, { attempts: 1, signal }))
    // A key may lack the permission: then the ids have to do.
    if (found instanceof ClinkApiError) return
    const idsOf = (list: readonly Member[]): ReadonlySet<string> => new Set(list.map(({ user_id }) => user_id))
    const isAgent = ({ member_type }: Member): boolean => /agent/i.test(member_type ?? '')
    const agentIds = idsOf(found.members.filter(isAgent))
    this.#groups.set(groupId, { askedAt, members: idsOf(found.members), agents: agentIds })
  }
}
