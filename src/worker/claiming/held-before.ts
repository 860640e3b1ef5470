import { ClinkApiError } from '../../clink/errors.ts'
import type { Clink } from '../../clink/records.ts'
import { isRateLimited, refusesKey } from '../../clink/verdicts.ts'
import { forMe } from '../../config/for-me.ts'
import type { AdmissionContext } from '../admission/context.ts'

const PAGE = 100
/** Milliseconds that the first poll waits at most. */
const LONGEST = 3_000

/**
 * What our owner held before the first claiming poll of this process, when no time stamp of the service is known yet: what is shown
 * later and was not there was claimed after that. A page that may not be whole, or no answer, tells nothing.
 */
export class HeldBefore {
  readonly #context: AdmissionContext
  #isDone = false
  #list: { readonly sentAt: number; readonly key: unknown; readonly ids: ReadonlySet<string> } | undefined

  constructor(context: AdmissionContext) {
    this.#context = context
  }

  /** @throws {ClinkApiError} when the answer is meant for the poll as well: the service asks to be left in peace, or takes no such key. */
  async look(signal: AbortSignal): Promise<void> {
    const { api, clock, keys, settings, siblings } = this.#context
    // Where claims by id may not be made, nothing is taken up.
    if (this.#isDone || siblings.mayClaimById === false) return
    this.#isDone = true
    const key = keys.current
    const sentAt = clock.now()
    try {
      const params = { status: 'claimed', limit: PAGE, for_me: forMe(settings.current) } as const
      const page = await api.checkInbox(params, { attempts: 1, signal, deadline: sentAt + LONGEST })
      const ids = [...page.clinks.map(({ clink_id: id }) => id), ...page.malformed.map(({ id }) => id)]
      if (ids.length >= PAGE || ids.includes(undefined)) return
      this.#list = { sentAt, key, ids: new Set(ids.filter((id) => id !== undefined)) }
    } catch (error) {
      if (!(error instanceof ClinkApiError) || concernsAll(error)) throw error
    }
  }

  /** The poll has surely claimed nothing, so that the first one is yet to come. A list that there is still holds. */
  notYet(): void {
    this.#isDone = this.#list !== undefined
  }

  /** A local time before which the claim that is shown cannot have been made; undefined: it may be an old one. */
  claimedAfter({ clink_id: id, claimed_at: at }: Clink): number | undefined {
    if (this.#list === undefined || this.#list.key !== this.#context.keys.current) return undefined
    return typeof at === 'string' && !this.#list.ids.has(id) ? this.#list.sentAt : undefined
  }
}

function concernsAll(error: ClinkApiError): boolean {
  return isRateLimited(error) || refusesKey(error) || error.retryAfter !== undefined
}
