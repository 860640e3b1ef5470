import type { ClinkApi } from '../../clink/clink-api.ts'
import { isGroupId } from '../../clink/group-id.ts'
import type { Clink } from '../../clink/records.ts'
import type { Router } from '../../handlers/route.ts'
import type { WorkerContext } from '../context.ts'

export interface GroupSlugsOptions extends Pick<WorkerContext, 'clock' | 'settings'> {
  readonly api: Pick<ClinkApi, 'listGroups'>
  readonly router: Pick<Router, 'namesGroups'>
}

/**
 * What groups are called whose clinks do not say it. A record that carries a slug is newer than anything kept here. For
 * others one list tells the slugs of all groups; it is asked for again when it is as old as a sweep, or lacks a group.
 */
export class GroupSlugs {
  readonly #options: GroupSlugsOptions
  /** By id; null: the key does not see the group. */
  readonly #slugs = new Map<string, string | null>()
  #askedAt = -Infinity

  constructor(options: GroupSlugsOptions) {
    this.#options = options
  }

  /** Null: it has none that we could see. Undefined: not known yet. */
  of({ group_id, group_slug }: Clink): string | null | undefined {
    return typeof group_slug === 'string' ? group_slug : this.#slugs.get(group_id.toLowerCase())
  }

  /** A route or `inbox.groups` goes by slugs, and nobody knows that of this clink. */
  isMissing(clink: Clink): boolean {
    return this.of(clink) === undefined && this.#areWanted
  }

  /** The record with the slug of its group. */
  named(clink: Clink): Clink {
    const slug = this.of(clink)
    return typeof slug === 'string' && clink.group_slug !== slug ? { ...clink, group_slug: slug } : clink
  }

  /**
   * Sees to it that the groups of these clinks are known.
   *
   * @throws {ClinkApiError} when the service does not answer.
   */
  async learn(clinks: readonly Clink[], signal: AbortSignal): Promise<void> {
    const nameless = clinks.filter(({ group_slug }) => typeof group_slug !== 'string')
    if (nameless.length === 0 || !this.#areWanted) return
    const { api, clock, settings } = this.#options
    const now = clock.now()
    const isFresh = now < this.#askedAt + settings.current.poll.sweep
    if (isFresh && nameless.every((clink) => this.of(clink) !== undefined)) return
    const { groups } = await api.listGroups({}, { attempts: 1, signal })
    this.#askedAt = now
    // Clinks that were listed earlier are judged by it as well.
    for (const id of this.#slugs.keys()) this.#slugs.set(id, null)
    for (const { group_id } of nameless) this.#slugs.set(group_id.toLowerCase(), null)
    for (const { group_id, slug } of groups) this.#slugs.set(group_id.toLowerCase(), slug)
  }

  get #areWanted(): boolean {
    const { router, settings } = this.#options
    return router.namesGroups === true || settings.current.inbox.groups.some((group) => !isGroupId(group))
  }
}
