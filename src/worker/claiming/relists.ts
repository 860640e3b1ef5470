import type { InboxPage } from '../../clink/client.ts'
import { ClinkApiError } from '../../clink/errors.ts'
import { orError } from '../../clink/refusals.ts'
import { sinceOf, startOf } from '../../clink/service-time.ts'
import { forMe } from '../../config/for-me.ts'
import type { AdmissionParts } from '../admission/context.ts'
import type { Candidate } from './candidate.ts'
import type { FailedClaims } from './failed-claims.ts'
import type { HeldBack } from './held-back.ts'
import { shows } from './sweep.ts'

/** The part of a claim's time that may pass between the list and the claim, which counts from the list. */
const FRESH = 1 / 20
/** How many clinks that are younger than one may come before it on a page. */
const PAGE = 100

/** Lists again what was listed too long ago to be claimed: a claim counts from the list that showed its clink as pending. */
export class Relists {
  readonly #context: AdmissionParts['context']
  readonly #heldBack: HeldBack
  readonly #failed: FailedClaims

  constructor(context: AdmissionParts['context'], heldBack: HeldBack, failed: FailedClaims) {
    this.#context = context
    this.#heldBack = heldBack
    this.#failed = failed
  }

  /** Whether the list that shows the clink is too old to claim by. */
  isStale({ listedAt }: Candidate): boolean {
    const { clock, settings } = this.#context
    return listedAt < clock.now() - Math.max(1_000, settings.current.claim.timeout * FRESH)
  }

  /** As it is now, where its list is too old; undefined: it is not pending any more, or that is not known. */
  async fresh(candidate: Candidate, signal: AbortSignal): Promise<Candidate | undefined> {
    if (!this.isStale(candidate)) return candidate
    const { clink_id: id } = candidate.clink
    const listedAt = this.#context.clock.now()
    const page = await this.#listFrom(candidate, signal)
    const seen = page?.clinks.find(({ clink_id, status }) => clink_id === id && status === 'pending')
    if (seen !== undefined) return { ...candidate, clink: seen, listedAt }
    if (page === undefined) this.#failed.postpone(candidate)
    else {
      this.#failed.forget(id)
      if (!tellsOf(page, candidate)) this.#context.signals.look.say('everything')
      await this.#lookForOthers(candidate, signal)
    }
    return undefined
  }

  /** Whoever has worked the clink may have worked the others that were listed as long ago. */
  async #lookForOthers({ key }: Candidate, signal: AbortSignal): Promise<void> {
    const isOld = (one: Candidate): boolean => one.key === key && this.isStale(one)
    const oldest = this.#heldBack.oldest(isOld)
    if (oldest === undefined) return
    const page = await this.#listFrom(oldest, signal)
    if (page === undefined || this.#heldBack.oldest(isOld) !== oldest) return
    // The service's order lets a page tell nothing even of the first of them: each would cost a page of its own. A sweep shows those that are left.
    this.#heldBack.forgetAll(isOld)
    this.#context.signals.look.say('everything')
  }

  async #listFrom({ clink, key }: Candidate, signal: AbortSignal): Promise<InboxPage | undefined> {
    const { clock, settings } = this.#context
    const listedAt = clock.now()
    const params = { limit: PAGE, for_me: forMe(settings.current), ...sinceOf(clink.created_at) }
    const page = await orError(key.api.checkInbox(params, { attempts: 1, signal }))
    if (page instanceof ClinkApiError) return undefined
    this.#heldBack.listed(page, { clink, key, listedAt })
    return page
  }
}

/** Whether the clink would be on the page if it were pending. A sweep shows those of which a page from them on tells nothing. */
function tellsOf(page: InboxPage, { clink }: Candidate): boolean {
  const isThere = page.clinks.some(({ clink_id: id }) => id === clink.clink_id)
  return isThere || shows(page, startOf(clink.created_at))(clink)
}
