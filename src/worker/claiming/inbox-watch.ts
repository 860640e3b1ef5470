import { readTime } from '../../base/time-text.ts'
import { asError } from '../../base/coded-error.ts'
import { steadyOf } from '../../base/clock.ts'
import { Signal } from '../../base/signal.ts'
import { ClinkApiError } from '../../clink/errors.ts'
import type { Clink } from '../../clink/records.ts'
import { orError } from '../../clink/refusals.ts'
import { forMe } from '../../config/for-me.ts'
import { judge, whyUnwanted } from '../admission/verdict.ts'
import type { AdmissionContext } from '../admission/context.ts'
import type { Poller } from './poller.ts'

/** What waits in the inbox, as far as one list shows it. */
export interface InboxCount {
  /** Clinks that this worker would take. */
  readonly pending: number
  /** Clinks that it leaves alone. */
  readonly leftAlone: number
  /** Milliseconds since the oldest of those that it would take was sent, by this machine's clock; undefined: none says when it was sent. */
  readonly oldest: number | undefined
  /** There may be more of either, and older ones. */
  readonly isSaturated: boolean
}

/** A clink that waits, and what the worker would do with it. */
export interface Waiting {
  readonly clink: Clink
  /** Null: it would be left alone, or that cannot be told. */
  readonly route: string | null
  readonly why: string | null
  /** Milliseconds after the look until it is judged anew; null: nobody knows. */
  readonly left: number | null
}

/** What a list of the inbox has shown, and how many milliseconds ago. */
export interface InboxList extends InboxCount {
  readonly age: number
  readonly waiting: readonly Waiting[]
  /** Of what cannot be read: the ids, where there are any. */
  readonly malformed: readonly (string | undefined)[]
}

const EVERY = 30_000
/** A person who asks wants to know how it is now. */
const FRESH = 5_000
/** The longest wait after looks that failed. */
const LONGEST = 300_000
/** What was counted so long ago says nothing any more. */
const STALE = 120_000
/** The most that a list shows. */
const PAGE = 100

/**
 * Counts what waits in the inbox, for whoever asks, and only while somebody does. It claims nothing. Nothing depends on it, so it comes last: it
 * asks once in 30 s at most, for a person once in 5 s, and not at all while the service fails, limits the rate, or the worker stops.
 */
export class InboxWatch {
  /** All of the inbox was shown: these clinks, to a look that began at that moment of the steady clock. */
  readonly shown = new Signal<[ids: ReadonlySet<string>, at: number]>()
  readonly #context: AdmissionContext
  readonly #poller: Pick<Poller, 'hasPolled' | 'trouble'>
  #last: ({ readonly at: number; readonly count: InboxCount } & Pick<InboxList, 'malformed' | 'waiting'>) | undefined
  #nextAt = -Infinity
  #failures = 0
  #looking: Promise<void> | undefined

  constructor(context: AdmissionContext, poller: Pick<Poller, 'hasPolled' | 'trouble'>) {
    this.#context = context
    this.#poller = poller
  }

  /** The last count, unless it is stale. Asking for it is what keeps it fresh: the next one may be on its way afterwards. */
  get count(): InboxCount | undefined {
    this.#lookAgain()
    return this.known
  }

  /** What the last count has counted, likewise. */
  get list(): InboxList | undefined {
    this.#lookAgain()
    return this.known
  }

  /** As `list`, without asking for another. */
  get known(): InboxList | undefined {
    const last = this.#last
    if (last === undefined || this.#now >= last.at + STALE) return undefined
    return { ...last.count, age: this.#now - last.at, malformed: last.malformed, waiting: last.waiting }
  }

  /** For a person who asks: resolves when a look that is not older than 5 s has been made, or cannot be made. */
  async looked(): Promise<void> {
    if (this.#failures === 0 && this.#now >= (this.#last?.at ?? -Infinity) + FRESH) this.#nextAt = -Infinity
    this.#lookAgain()
    await this.#looking
  }

  get #now(): number {
    return steadyOf(this.#context.clock).now()
  }

  get #arePollsAnswered(): boolean {
    return this.#poller.hasPolled && this.#poller.trouble === undefined
  }

  #lookAgain(): void {
    const { rateLimit, signals, stopping } = this.#context
    const isTime = this.#looking === undefined && this.#now >= this.#nextAt
    if (!isTime || stopping.aborted || rateLimit.pollWait > 0 || !this.#arePollsAnswered) return
    this.#nextAt = this.#now + EVERY
    this.#looking = this.#look()
      .catch((error: unknown) => signals.crashed.say('count of the inbox', asError(error)))
      .finally(() => (this.#looking = undefined))
  }

  async #look(): Promise<void> {
    const { api, scope, settings, stopping } = this.#context
    const at = this.#now
    const page = await orError(
      api.checkInbox({ limit: PAGE, for_me: forMe(settings.current) }, { attempts: 1, signal: stopping }),
    )
    if (page instanceof ClinkApiError) {
      this.#failures += 1
      const wait = Math.min(LONGEST, EVERY * 2 ** this.#failures)
      this.#nextAt = this.#now + Math.max(wait, page.retryAfter ?? 0)
      return
    }
    this.#failures = 0
    // Groups that cannot be named now are named by the next poll.
    const { clinks } = await scope.named(page, stopping)
    const pending = clinks.filter(({ status }) => status === 'pending')
    const waiting: Waiting[] = []
    const ours: Clink[] = []
    for (const clink of pending) {
      const judged = await this.#judge(clink)
      waiting.push({ clink, ...judged })
      if (judged.why === null) ours.push(clink)
    }
    const received = page.clinks.length + page.malformed.length
    const sent = ours.flatMap((clink) => readTime(clink.created_at) ?? [])
    const oldest = sent.length === 0 ? undefined : Math.max(0, this.#context.clock.wall() - Math.min(...sent))
    const isSaturated = received >= PAGE
    const malformed = page.malformed.map(({ id }) => id)
    // Each with a reason that can be told: what somebody else has claimed is not left alone.
    const leftAlone = waiting.length - ours.length + malformed.length
    this.#last = { at, count: { pending: ours.length, leftAlone, oldest, isSaturated }, malformed, waiting }
    const ids = [...page.clinks.map(({ clink_id: id }) => id), ...malformed.flatMap((id) => id ?? [])]
    if (!isSaturated) this.shown.say(new Set(ids), at)
  }

  /** One of which that cannot be told counts as ours: somebody has to look at it. */
  async #judge(clink: Clink): Promise<Omit<Waiting, 'clink'>> {
    const { ledger, scope } = this.#context
    const outside = scope.whyNot(clink)
    if (outside !== undefined) return { route: null, why: outside, left: null }
    try {
      const verdict = await judge(clink, await ledger.recallOne(clink.clink_id), this.#context)
      if ('run' in verdict) return { route: verdict.run.route.name, why: null, left: null }
      return { route: null, why: whyUnwanted(verdict), left: ('wait' in verdict ? verdict.wait : undefined) ?? null }
    } catch {
      return { route: null, why: null, left: null }
    }
  }
}
