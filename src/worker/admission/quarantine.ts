import { hash } from 'node:crypto'
import { Recent } from '../../base/recent.ts'
import type { InboxPage, Malformed } from '../../clink/client.ts'
import { textOf } from '../../clink/decode.ts'
import { isPathPart } from '../../clink/path-part.ts'
import type { Clink } from '../../clink/records.ts'
import type { WorkerContext } from '../context.ts'
import type { LeftAloneNotices } from './left-alone.ts'

/** How many clinks are remembered. */
const KNOWN = 10_000
/** Milliseconds for which one counts as waiting that is not seen any more. */
const WAITS = 600_000
/** Milliseconds after which it is said again that a record without an id cannot be worked. */
const SAY_AGAIN = 3_600_000
const STATES = ['pending', 'claimed', 'completed']

/**
 * The clinks whose records cannot be worked, by id. Where a poll has claimed one, its claim is parked like that on any other clink that is
 * not run: released at once it would come back with the next poll.
 */
export class Quarantine {
  readonly #context: WorkerContext
  readonly #notices: LeftAloneNotices
  readonly #ids = new Recent<true>(KNOWN)
  /** When it was said of records without an id what is wrong with them, by what they hold: each page may show them. */
  readonly #saidAt = new Recent<number>(KNOWN)
  #seenAt = -Infinity

  constructor(context: WorkerContext, notices: LeftAloneNotices) {
    this.#context = context
    this.#notices = notices
  }

  has(clinkId: string): boolean {
    return this.#ids.get(clinkId) !== undefined
  }

  /** Whether one of them waits in the inbox, as far as is known: each sweep shows those that do. */
  get isWaiting(): boolean {
    const { clock, settings } = this.#context
    return clock.now() - this.#seenAt < Math.max(WAITS, 2 * settings.current.poll.sweep)
  }

  /** Takes in what a page shows, and gives it with what can be named of its malformed clinks in the place of their records. */
  admit(page: InboxPage): InboxPage {
    for (const { clink_id } of page.clinks) this.#ids.delete(clink_id)
    if (page.malformed.length > 0) this.#seenAt = this.#context.clock.now()
    const named: Clink[] = []
    const malformed: Malformed[] = []
    for (const one of page.malformed) {
      if (one.id !== undefined || this.#isNews(one)) this.#notices.say(one.id, 'malformed', one.problem)
      if (one.id === undefined || !isPathPart(one.id)) {
        malformed.push(one)
      } else {
        named.push(standIn(one.id, one.record, page))
        this.#ids.set(one.id, true)
      }
    }
    return { ...page, clinks: [...page.clinks, ...named], malformed }
  }

  #isNews({ problem, record }: Malformed): boolean {
    const lasting = ['group_id', 'sender_id', 'created_at', 'content'].map((name) => textOf(record, name))
    const name = hash('sha256', JSON.stringify([problem, ...lasting]))
    const now = this.#context.clock.now()
    if (now - (this.#saidAt.get(name) ?? -Infinity) < SAY_AGAIN) return false
    this.#saidAt.set(name, now)
    return true
  }
}

/**
 * What is known of a malformed clink. Where the page says how many of its clinks are claimed, one whose state cannot be read counts
 * as claimed: then it is never another one that is taken for ours in its place.
 */
function standIn(id: string, record: unknown, page: InboxPage): Clink {
  const text = (name: string): string => textOf(record, name) ?? ''
  const unread = typeof page.claimed_count === 'number' ? 'claimed' : ''
  const status = text('status')
  return {
    clink_id: id,
    group_id: text('group_id'),
    sender_id: text('sender_id'),
    sender_name: text('sender_name'),
    content: '',
    created_at: text('created_at'),
    status: STATES.includes(status) ? status : unread,
    claimed_by: textOf(record, 'claimed_by'),
    claimed_at: textOf(record, 'claimed_at'),
    claim_expires_at: textOf(record, 'claim_expires_at'),
  }
}
