import { readTime } from '../../base/time-text.ts'
import { steadyOf, type Clock } from '../../base/clock.ts'
import { BareRefusals } from '../../clink/bare-refusals.ts'
import { ClinkApiError } from '../../clink/errors.ts'
import type { Clink } from '../../clink/records.ts'
import { isUnknown } from '../../clink/verdicts.ts'
import type { Config } from '../../config/config.ts'
import type { Emit } from '../../events.ts'
import type { ClinkApi } from '../../clink/clink-api.ts'
import { senderMatcher } from '../../handlers/sender-match.ts'
import type { Identity } from '../../keys/identity.ts'

export interface ScopeOptions {
  readonly inbox: Config['inbox']
  readonly api: Pick<ClinkApi, 'resolveGroup'>
  readonly identity: Identity
  readonly clock: Clock
  readonly emit: Emit
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i
const SELF = 'self'

/** Which clinks the configuration wants this worker to look at: `inbox.groups`, `ignore`, `for` and `maxAge`. */
export class Scope {
  readonly #options: ScopeOptions
  readonly #ids = new Set<string>()
  readonly #ignoresUs: boolean
  readonly #isIgnored: ReturnType<typeof senderMatcher>
  /** Names of groups whose ids are not known yet. */
  readonly #unresolved: Map<string, BareRefusals>
  /** Those of them that the service does not know. */
  readonly #unknown = new Set<string>()

  constructor(options: ScopeOptions) {
    this.#options = options
    const { groups, ignore } = options.inbox
    this.#ignoresUs = ignore.includes(SELF)
    this.#isIgnored = senderMatcher(ignore.filter((rule) => rule !== SELF))
    this.#unresolved = new Map(groups.filter((group) => !UUID.test(group)).map((slug) => [slug, new BareRefusals()]))
    for (const group of groups) if (UUID.test(group)) this.#ids.add(group.toLowerCase())
  }

  /**
   * Learns the ids of groups that are named by slug: records need not carry slugs.
   *
   * @throws {ClinkApiError} when the service does not answer.
   */
  async resolve(signal: AbortSignal): Promise<void> {
    const { api, clock, emit } = this.#options
    for (const [slug, refusals] of this.#unresolved) {
      try {
        this.#ids.add((await api.resolveGroup({ slug }, { attempts: 1, signal })).toLowerCase())
        this.#unresolved.delete(slug)
        this.#unknown.delete(slug)
      } catch (error) {
        if (!(error instanceof ClinkApiError) || !isUnknown(refusals.weigh(error, steadyOf(clock).now()))) throw error
        this.#unknown.add(slug)
        emit({ event: 'inbox.unknownGroup', group: slug, advice: UNKNOWN_GROUP })
      }
    }
  }

  /** Why nothing of the inbox can be for this worker, for people. */
  get doubts(): readonly string[] {
    const { groups } = this.#options.inbox
    if (this.#unknown.size === 0 || this.#ids.size > 0) return []
    return [`no group of inbox.groups (${groups.join(', ')}) is known to the service: check their names and the key`]
  }

  has(clink: Clink): boolean {
    const { inbox, identity, clock } = this.#options
    if (inbox.groups.length > 0 && !this.#hasGroup(clink)) return false
    // The inbox lists what is for us or for nobody; so what is for somebody is for us.
    if (inbox.for === 'me' && typeof clink.for !== 'string') return false
    const created = readTime(clink.created_at)
    if (inbox.maxAge !== null && created !== undefined && clock.wall() - created > inbox.maxAge) return false
    return !(this.#ignoresUs && identity.isUs(clink.sender_id)) && !this.#isIgnored(clink)
  }

  #hasGroup({ group_id, group_slug }: Clink): boolean {
    if (this.#ids.has(group_id.toLowerCase())) return true
    return typeof group_slug === 'string' && this.#options.inbox.groups.includes(group_slug)
  }
}

const UNKNOWN_GROUP =
  'the key sees no group of inbox.groups that is called so, and takes nothing of it; "clink-worker api list_groups" shows those that it sees'
