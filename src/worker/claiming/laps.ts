import { Recent } from '../../base/recent.ts'
import type { InboxPage } from '../../clink/client.ts'
import type { WorkerContext } from '../context.ts'

/** How many clinks of a lap are remembered. */
const KNOWN = 10_000
/** After so many polls of a lap that bring nothing with an id it has gone round: nobody can tell whether they bring the same again. */
const NAMELESS = 100

interface Shown {
  readonly hides: boolean
  readonly isNews: boolean
  readonly isWhole: boolean
}

/**
 * Notices that claiming polls go round. What they take and do not work is parked, so that the next poll shows what lies behind it. Where the
 * claims run out before the last of it was taken, it comes back before all else, and what lies behind is out of reach.
 */
export class Laps {
  readonly #context: Pick<WorkerContext, 'clock' | 'emit' | 'settings'>
  /** What has come, and was parked before, in polls that follow each other. */
  readonly #taken = new Recent<true>(KNOWN)
  /** Polls of them that have brought nothing with an id. */
  #nameless = 0
  #starvedAt: number | undefined

  constructor(context: Pick<WorkerContext, 'clock' | 'emit' | 'settings'>) {
    this.#context = context
  }

  get isStarved(): boolean {
    return this.#starvedAt !== undefined
  }

  /**
   * @param page `hides`: there may be others behind what it has brought; `isNews`: something of it had not come before; `isWhole`: there is nothing
   *   behind it.
   * @returns whether the next poll is to follow at once.
   */
  goOn(page: InboxPage, { hides, isNews, isWhole }: Shown): boolean {
    const goesOn = hides && (isNews || this.#mayShowMore(idsOf(page)))
    if (!goesOn) this.#end(isWhole)
    return goesOn
  }

  /** Once polls have gone round, another lap is tried with the next sweep. */
  #mayShowMore(ids: readonly string[]): boolean {
    const { clock, emit, settings } = this.#context
    const now = clock.now()
    if (this.#starvedAt !== undefined && now < this.#starvedAt + settings.current.poll.sweep) return false
    if (ids.length === 0) this.#nameless += 1
    const isRound = ids.length > 0 ? ids.every((id) => this.#taken.has(id)) : this.#nameless > NAMELESS
    for (const id of ids) this.#taken.set(id, true)
    if (!isRound) return true
    if (this.#starvedAt === undefined) emit({ event: 'inbox.starved', advice: ADVICE })
    this.#starvedAt = now
    return false
  }

  #end(isWhole: boolean): void {
    this.#taken.clear()
    this.#nameless = 0
    if (!isWhole || this.#starvedAt === undefined) return
    this.#starvedAt = undefined
    this.#context.emit({ event: 'inbox.reached' })
  }
}

/** Also of records that cannot be read: their claims come round as well. */
function idsOf({ clinks, malformed }: InboxPage): readonly string[] {
  return [...clinks.map(({ clink_id: id }) => id), ...malformed.flatMap(({ id }) => id ?? [])]
}

const ADVICE =
  'polls bring clinks that are not for this worker, and their claims run out before it has come to the last of them: let others work these, set inbox.ownReplies: acknowledge where they are its own, or let it choose (inbox.claim: auto)'
