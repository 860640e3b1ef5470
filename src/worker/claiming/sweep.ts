import { isoTime, readMoment } from '../../base/time-text.ts'
import { BareRefusals } from '../../clink/bare-refusals.ts'
import type { InboxPage } from '../../clink/client.ts'
import { textOf } from '../../clink/decode.ts'
import type { Clink } from '../../clink/records.ts'
import { startOf } from '../../clink/service-time.ts'
import { PageSize, SMALLEST_CUT } from './page-size.ts'

/** The service documents 100 for one of its listings; more is asked for only where a page cannot be gone past. */
const PAGE = 100
const LARGEST_PAGE = 1_600

/**
 * A pass over the inbox, page by page. The next page begins where the last one ended, with that moment taken in, so clinks of
 * one moment are not missed; each id counts once. It ends when a page brings nothing new. That reaches everything where pages
 * show the oldest first. In any other order, or where more clinks have one moment than fit a page, a larger page is tried, and asked
 * for again while it brings anything new, since what was taken meanwhile makes room on it. When it does not, clinks may be out of
 * reach; what is younger than a moment that fills a page is not.
 */
export class Sweep {
  /** From the beginning of time, though it may have been taken up again later than there. */
  readonly isFull: boolean
  readonly startedAt: number
  limit = PAGE
  pages = 0
  isOver = false
  /** The order of the service may hide clinks from us. */
  isStarved = false
  /** Whether what was not shown yet is newer than all that was. */
  isOrdered = true
  /** Its last page may be cut: it shows the oldest last, or in no order, and none has been longer. */
  mayHide = false
  /** Of a larger page than is documented. */
  readonly refusals = new BareRefusals()
  readonly #size: PageSize
  readonly #seen = new Set<string>()
  #since: number | undefined
  #last = 0
  /** The moment of a page that could not be gone past otherwise, and how often it was tried. */
  #passed: { readonly newest: number; readonly tries: number } | undefined
  /** How long the last page was, where it was shorter than asked for. */
  #short: number | undefined
  #most = LARGEST_PAGE

  /**
   * @param since service time in milliseconds.
   * @param size what other passes have found out, and this one adds to.
   */
  constructor(startedAt: number, since?: number, size = new PageSize(), isFull = since === undefined) {
    this.startedAt = startedAt
    this.isFull = isFull
    this.#since = since
    this.#size = size
  }

  /** What to ask for next. */
  get params(): { readonly limit: number; readonly since?: string } {
    if (this.#since === undefined) return { limit: this.limit }
    return { limit: this.limit, since: isoTime(this.#since) }
  }

  /** Whether the id was on a page of this pass. */
  has(clinkId: string): boolean {
    return this.#seen.has(clinkId)
  }

  note({ clinks, malformed }: InboxPage): void {
    this.pages += 1
    const ids = [...clinks.map(({ clink_id }) => clink_id), ...malformed.map(({ id }) => id ?? '')]
    const isNews = ids.some((id) => id !== '' && !this.#seen.has(id))
    for (const id of ids) this.#seen.add(id)
    const stamps = [
      clinks.map(({ created_at }) => created_at),
      malformed.flatMap(({ record }) => stampOf(record) ?? []),
    ]
    const times = stamps.map((some) => some.map((stamp) => startOf(stamp)))
    const newest = Math.max(...times.flat().filter((time) => !Number.isNaN(time)))
    const oldest = Math.min(...times.flatMap((some) => some.slice(0, 1)))
    const isAscending = times.every(ascends)
    // A page of one moment tells nothing about the order.
    const isMoving = isAscending && oldest < newest
    const isOneMoment = isAscending && oldest === newest
    const isTimeless = times.flat().every((time) => Number.isNaN(time))
    const [stamp] = stamps.flat()
    // The page before it was not all.
    if (isNews && this.#short !== undefined) this.#size.cutsAt(this.#short)
    this.#size.note(ids, { isFull: this.#since === undefined, limit: this.limit })
    const isCut = this.#size.isCut(ids.length)
    if ((this.#passed !== undefined && isNews) || (isOneMoment && isCut)) this.isStarved = true
    this.#short = ids.length < this.limit ? ids.length : undefined
    if (ids.length < this.limit && this.#size.hasExceeded(ids.length)) {
      this.isOver = true
      return
    }
    this.isOrdered &&= isMoving
    if (isNews && isMoving) {
      this.#since = newest
      this.#last = 0
      this.limit = PAGE
    } else if (ids.length < this.limit && (this.#last === 0 || ids.length > this.#last)) {
      // Where it is as long as any it may have been cut, however many were asked for; without times nobody can ask for what lies behind it.
      this.mayHide = ids.length >= SMALLEST_CUT
      this.isStarved ||= this.mayHide && (isCut || (this.isFull && isTimeless))
      this.isOver = !(this.isFull && this.mayHide && isOneMoment && this.#goPast(newest, stamp))
    } else if (ids.length > this.#last && this.limit < this.#most) {
      this.#last = ids.length
      this.limit *= 2
    } else if (!isNews) {
      this.isStarved = true
      this.isOver = !(isOneMoment && this.#goPast(newest, stamp))
    }
  }

  /**
   * Goes on behind a moment: first from its very end, which a bound that excludes its own moment has behind it, then a little later.
   *
   * @returns false: both were tried.
   */
  #goPast(newest: number, stamp: string | undefined): boolean {
    const tries = (this.#passed?.newest === newest ? this.#passed.tries : 0) + 1
    const grain = readMoment(stamp)?.grain
    if (grain === undefined || tries > 2) return false
    this.#passed = { newest, tries }
    this.#since = newest + tries * grain
    this.#last = 0
    this.limit = PAGE
    return true
  }

  /** The service refuses a page as large as was asked for: the largest that it gives has to do. */
  refused(): void {
    this.limit /= 2
    this.#most = this.limit
  }

  get isEnlarged(): boolean {
    return this.limit > PAGE
  }
}

/** What else is wrong with its record says nothing about when a clink was made. */
function stampOf(record: unknown): string | undefined {
  const stamp = textOf(record, 'created_at')
  return readMoment(stamp) === undefined ? undefined : stamp
}

/** Whether a clink that is pending would be on a page of those since a moment. Of what may have been cut from it only its order tells. */
export function shows({ clinks, malformed }: InboxPage, since: number): (clink: Clink) => boolean {
  const times = clinks.map(({ created_at }) => startOf(created_at))
  // What cannot be read may be any of them.
  if (malformed.length > 0) return () => false
  const isAll = clinks.length < SMALLEST_CUT
  const [oldest, newest] = [Math.min(...times), Math.max(...times)]
  // A page of one moment tells nothing about the order.
  const isMoving = oldest < newest
  const isAscending = isMoving && ascends(times)
  const isDescending = isMoving && ascends(times.toReversed())
  return ({ created_at }) => {
    const time = startOf(created_at)
    return time >= since && (isAll || (isAscending && time < newest) || (isDescending && time > oldest))
  }
}

function ascends(times: readonly number[]): boolean {
  return times.every((time, index) => index === 0 || time >= (times[index - 1] ?? time))
}
