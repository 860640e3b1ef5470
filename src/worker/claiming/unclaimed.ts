import type { InboxPage } from '../../clink/client.ts'
import type { Clink } from '../../clink/records.ts'
import { Recent } from '../../base/recent.ts'
import type { AdmissionContext } from '../admission/context.ts'

/** In so many polls, over so many milliseconds, the same clink was shown and not claimed: nobody loses a race as often to another worker. */
const POLLS = 3
const LASTS = 10_000
/** How many clinks are counted. */
const COUNTED = 1_000

/**
 * Notices a service that shows clinks as pending to polls that claim, says that it has claimed none, and does so again and again. Each of
 * these answers is in order, so nothing else would show that no work is ever taken.
 */
export class Unclaimed {
  readonly #context: Pick<AdmissionContext, 'identity' | 'settings'>
  /** In how many polls, and since when, clinks were shown so. */
  readonly #shown = new Recent<{ readonly polls: number; readonly since: number }>(COUNTED)

  constructor(context: Pick<AdmissionContext, 'identity' | 'settings'>) {
    this.#context = context
  }

  /**
   * @param page what a claiming poll has brought.
   * @returns whether clinks wait that such polls do not claim. `perhaps`: they may just have been another worker's.
   */
  shows({ claimed_count, clinks }: InboxPage, now: number): 'no' | 'perhaps' | 'yes' {
    const pending =
      claimed_count === 0 ? clinks.filter((clink) => clink.status === 'pending' && this.#isForUs(clink)) : []
    if (pending.length === 0) {
      this.#shown.clear()
      return 'no'
    }
    const standing = pending.map(({ clink_id: id }) => {
      const { polls, since } = this.#shown.get(id) ?? { polls: 0, since: now }
      this.#shown.set(id, { polls: polls + 1, since })
      return polls + 1 >= POLLS && now - since >= LASTS
    })
    return standing.includes(true) ? 'yes' : 'perhaps'
  }

  /** What is for somebody else the service shows in the whole inbox, and need not give it to us. */
  #isForUs({ for: recipient }: Clink): boolean {
    const { identity, settings } = this.#context
    if (typeof recipient !== 'string' || identity.isUs(recipient)) return true
    return settings.current.inbox.for !== 'anyone' && !identity.isSomebodyElse(recipient)
  }
}
