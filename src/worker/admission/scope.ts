import { readTime } from '../../base/time-text.ts'
import { steadyOf } from '../../base/clock.ts'
import { BareRefusals } from '../../clink/bare-refusals.ts'
import { ClinkApiError } from '../../clink/errors.ts'
import type { Clink } from '../../clink/records.ts'
import { isUnknown } from '../../clink/verdicts.ts'
import type { Config } from '../../config/config.ts'
import type { ClinkApi } from '../../clink/clink-api.ts'
import { senderMatcher } from '../../handlers/sender-match.ts'
import type { Identity } from '../../keys/identity.ts'
import type { WorkerContext } from '../context.ts'

export interface ScopeOptions extends Pick<WorkerContext, 'clock' | 'emit' | 'settings'> {
  readonly api: Pick<ClinkApi, 'resolveGroup'>
  readonly identity: Identity
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i
const SELF = 'self'

/** Which clinks the configuration wants this worker to look at: `inbox.groups`, `ignore`, `for` and `maxAge`. */
export class Scope {
  readonly #options: ScopeOptions
  /** By slugs of groups: their ids, as far as they are known; null: the service does not know the group. */
  readonly #ids = new Map<string, string | null>()
  readonly #refusals = new Map<string, BareRefusals>()

  constructor(options: ScopeOptions) {
    this.#options = options
  }

  /**
   * Learns the ids of groups that are named by slug: records need not carry slugs.
   *
   * @throws {ClinkApiError} when the service does not answer.
   */
  async resolve(signal: AbortSignal): Promise<void> {
    const { api, clock, emit } = this.#options
    for (const slug of this.#inbox.groups) {
      if (this.#idOf(slug) !== undefined) continue
      try {
        this.#ids.set(slug, (await api.resolveGroup({ slug }, { attempts: 1, signal })).toLowerCase())
      } catch (error) {
        const refusals = this.#refusals.get(slug) ?? new BareRefusals()
        this.#refusals.set(slug, refusals)
        if (!(error instanceof ClinkApiError) || !isUnknown(refusals.weigh(error, steadyOf(clock).now()))) throw error
        this.#ids.set(slug, null)
        emit({ event: 'inbox.unknownGroup', group: slug, advice: UNKNOWN_GROUP })
      }
    }
  }

  /** Why nothing of the inbox can be for this worker, for people. */
  get doubts(): readonly string[] {
    const { groups } = this.#inbox
    const isUnknown = groups.some((group) => this.#ids.get(group) === null)
    if (!isUnknown || groups.some((group) => this.#idOf(group) !== undefined)) return []
    return [`no group of inbox.groups (${groups.join(', ')}) is known to the service: check their names and the key`]
  }

  has(clink: Clink): boolean {
    return this.whyNot(clink) === undefined
  }

  /** Which setting keeps the clink from being looked at; undefined: none. */
  whyNot(clink: Clink): string | undefined {
    const { clock, identity } = this.#options
    const { for: recipient, groups, ignore, maxAge } = this.#inbox
    if (groups.length > 0 && !groups.some((group) => this.#isOf(group, clink))) return 'inbox.groups'
    // The inbox lists what is for us or for nobody; so what is for somebody is for us.
    if (recipient === 'me' && typeof clink.for !== 'string') return 'inbox.for'
    const created = readTime(clink.created_at)
    if (maxAge !== null && created !== undefined && clock.wall() - created > maxAge) return 'inbox.maxAge'
    if (ignore.includes(SELF) && identity.isUs(clink.sender_id)) return 'inbox.ignore'
    return senderMatcher(ignore.filter((rule) => rule !== SELF))(clink) ? 'inbox.ignore' : undefined
  }

  #isOf(group: string, { group_id, group_slug }: Clink): boolean {
    return group === group_slug || this.#idOf(group) === group_id.toLowerCase()
  }

  /** Undefined: not known, as far as was asked. */
  #idOf(group: string): string | undefined {
    return UUID.test(group) ? group.toLowerCase() : (this.#ids.get(group) ?? undefined)
  }

  get #inbox(): Config['inbox'] {
    return this.#options.settings.current.inbox
  }
}

const UNKNOWN_GROUP =
  'the key sees no group of inbox.groups that is called so, and takes nothing of it; "clink-worker api list_groups" shows those that it sees'
