import { readTime } from '../../base/time-text.ts'
import { steadyOf } from '../../base/clock.ts'
import { BareRefusals } from '../../clink/bare-refusals.ts'
import type { InboxPage } from '../../clink/client.ts'
import { ClinkApiError } from '../../clink/errors.ts'
import { isGroupId } from '../../clink/group-id.ts'
import type { Clink } from '../../clink/records.ts'
import { orError } from '../../clink/refusals.ts'
import { isUnknown } from '../../clink/verdicts.ts'
import type { Config } from '../../config/config.ts'
import type { ClinkApi } from '../../clink/clink-api.ts'
import { senderMatcher } from '../../handlers/sender-match.ts'
import type { Identity } from '../../keys/identity.ts'
import type { WorkerContext } from '../context.ts'
import { GroupSlugs, type GroupSlugsOptions } from './group-slugs.ts'

export interface ScopeOptions extends GroupSlugsOptions, Pick<WorkerContext, 'clock' | 'emit' | 'settings'> {
  readonly api: Pick<ClinkApi, 'listGroups' | 'resolveGroup'>
  readonly identity: Identity
}

const SELF = 'self'

/** Which clinks the configuration wants this worker to look at: `inbox.groups`, `ignore`, `for` and `maxAge`. */
export class Scope {
  readonly slugs: GroupSlugs
  readonly #options: ScopeOptions
  /** By slugs of groups: their ids, as far as they are known; null: the service does not know the group. */
  readonly #ids = new Map<string, string | null>()
  readonly #refusals = new Map<string, BareRefusals>()

  constructor(options: ScopeOptions) {
    this.#options = options
    this.slugs = new GroupSlugs(options)
  }

  /**
   * Learns what a page tells, or leaves out, about the slugs of its groups, before its clinks are judged.
   *
   * @returns the clinks, each with the slug of its group where that is known.
   * @throws {ClinkApiError} when the service does not answer.
   */
  async learn(clinks: readonly Clink[], signal: AbortSignal): Promise<Clink[]> {
    await this.slugs.learn(clinks, signal)
    for (const clink of clinks) this.#note(clink)
    return clinks.map((clink) => this.slugs.named(clink))
  }

  /** The same for what is claimed already: while the service does not answer, `Judging` leaves alone what has to be named. */
  async named(page: InboxPage, signal: AbortSignal): Promise<InboxPage> {
    const clinks = await orError(this.learn(page.clinks, signal))
    return clinks instanceof ClinkApiError ? page : { ...page, clinks }
  }

  /**
   * Finds the groups that `inbox.groups` names by slug, to tell of those that there are not.
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

  /** Slugs may be given to other groups: what a record says of its own group counts, however the group was found. */
  #isOf(group: string, clink: Clink): boolean {
    const isFound = this.#idOf(group) === clink.group_id.toLowerCase()
    if (isGroupId(group)) return isFound
    const slug = this.slugs.of(clink) ?? undefined
    return slug === undefined ? isFound : slug === group || (isFound && isSame(slug, group))
  }

  /** A group that is called otherwise now has to be found anew; one that is called so needs no request. */
  #note(clink: Clink): void {
    const id = clink.group_id.toLowerCase()
    const slug = this.slugs.of(clink)
    if (typeof slug !== 'string') return
    for (const group of this.#inbox.groups) {
      if (isGroupId(group)) continue
      if (slug === group) this.#ids.set(group, id)
      else if (this.#ids.get(group) === id && !isSame(slug, group)) this.#ids.delete(group)
    }
  }

  /** Undefined: not known, as far as was asked. */
  #idOf(group: string): string | undefined {
    return isGroupId(group) ? group.toLowerCase() : (this.#ids.get(group) ?? undefined)
  }

  get #inbox(): Config['inbox'] {
    return this.#options.settings.current.inbox
  }
}

/** The service may find a group by its slug in other letters. */
function isSame(slug: string, group: string): boolean {
  return slug.toLowerCase() === group.toLowerCase()
}

const UNKNOWN_GROUP =
  'the key sees no group of inbox.groups that is called so, and takes nothing of it; "clink-worker api list_groups" shows those that it sees'
