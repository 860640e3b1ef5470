import type { InboxPage } from '../clink/client.ts'
import { ClinkApiError } from '../clink/errors.ts'
import type { Clink } from '../clink/records.ts'
import { forbids, refusesNumber } from '../clink/verdicts.ts'
import { forMe } from '../config/for-me.ts'
import type { WorkerKey } from '../keys/keys.ts'
import { lacksPermission } from '../keys/key-check.ts'
import type { ClaimById } from './claim-by-id.ts'
import type { Claiming, Taken } from './claiming.ts'
import type { DeliveryShared } from './delivery-shared.ts'
import type { Intake } from './intake.ts'
import { startOf } from './service-time.ts'
import { Sweep } from './sweep.ts'
import type { TakeUp } from './take-up.ts'
import type { Wanted } from './verdict.ts'

interface Candidate {
  readonly clink: Clink
  /** Local time when the list was asked for that shows it as pending. */
  readonly listedAt: number
  /** The key that listed it: to another owner the service shows other clinks. */
  readonly key: WorkerKey
}

interface Claims {
  readonly claimed: number
  readonly failed?: ClinkApiError | undefined
}

/** Most claims at once: the rest follows in the next turn. */
const AT_ONCE = 10
/** The part of a claim's time that may pass between the list and the claim, which counts from the list. */
const FRESH = 1 / 20
/** What has cooled down is looked for by sweeps that cost a page a second at most. */
const PER_PAGE = 1_000

/**
 * Lists without claiming, and claims by id what can start. Each look is for what is new; from time to time, and at the start, a
 * full sweep looks at everything, since clinks that were released or whose claims ran out are not new.
 */
export class Select implements Claiming {
  readonly #shared: DeliveryShared
  readonly #intake: Intake
  readonly #takeUp: TakeUp
  #backlog = new Map<string, Candidate>()
  #sweep: Sweep | undefined
  #sweepAt = -Infinity
  /** Wall time of the last full sweep, and its pages. */
  #swept = { at: -Infinity, pages: 0 }
  /** Service time of the newest clink that was listed. */
  #newest: number | undefined
  #largest = 0
  #hasClaimed = false
  #starvedAt: number | undefined

  constructor(shared: DeliveryShared, intake: Intake, takeUp: TakeUp) {
    this.#shared = shared
    this.#intake = intake
    this.#takeUp = takeUp
  }

  /** The service's order may keep clinks out of reach. */
  get isStarved(): boolean {
    return this.#starvedAt !== undefined
  }

  /** Whether it is worth while to list: what lay out of reach at the last sweep may have come into it by now. */
  get reaches(): boolean {
    const { clock, config } = this.#shared.context
    return this.#starvedAt === undefined || clock.now() >= this.#starvedAt + config.poll.sweep
  }

  /** The next look is at everything. */
  sweepSoon(): void {
    this.#sweepAt = -Infinity
  }

  async take(room: () => number, signal: AbortSignal): Promise<Taken> {
    const { clock, emit } = this.#shared.context
    this.#rewind()
    const sweep = this.#current()
    const sentAt = clock.now()
    const received = this.#backlog.size === 0 && !sweep.isOver ? await this.#list(sweep, signal) : 0
    const asked = room()
    const { claimed, failed } = asked > 0 ? await this.#claim(asked, signal) : { claimed: 0 }
    if (failed !== undefined && claimed === 0) throw failed
    emit({ event: 'poll.succeeded', asked, received, claimed, duration: clock.now() - sentAt })
    this.#hasClaimed ||= claimed > 0
    const isMore = this.#backlog.size > 0 || !sweep.isOver
    const isWhole = !isMore && sweep.isFull
    const isEmpty = isWhole && !this.#hasClaimed
    return { sentAt: sweep.startedAt, isNews: claimed > 0, isMore, isWhole, isEmpty, failed }
  }

  /** The pass that is under way, or the next one. */
  #current(): Sweep {
    const { clock } = this.#shared.context
    if (this.#sweep !== undefined && (!this.#sweep.isOver || this.#backlog.size > 0)) return this.#sweep
    const now = clock.now()
    const isFull = this.#newest === undefined || now >= this.#sweepAt + this.#untilSweep()
    if (isFull) {
      this.#sweepAt = now
      this.#swept = { at: clock.wall(), pages: 0 }
    }
    this.#hasClaimed = false
    return (this.#sweep = new Sweep(now, isFull ? undefined : this.#newest))
  }

  /** Milliseconds from one full sweep to the next: less where clinks that were released have cooled down, which only a sweep shows. */
  #untilSweep(): number {
    const { clock, config, ledger } = this.#shared.context
    const { maxInterval, sweep } = config.poll
    if (!ledger.hasCooled(this.#swept.at, clock.wall())) return sweep
    return Math.min(sweep, Math.max(maxInterval, this.#swept.pages * PER_PAGE))
  }

  /**
   * What was listed too long ago is listed again: a claim counts from the list that showed its clink as pending. Where the service
   * does not show the oldest first, what was not listed yet may be older than that.
   */
  #rewind(): void {
    const { clock, config } = this.#shared.context
    const stale = clock.now() - Math.max(1_000, config.claim.timeout * FRESH)
    const candidates = [...this.#backlog.values()]
    if (!candidates.some(({ listedAt }) => listedAt < stale)) return
    this.#backlog.clear()
    const oldest = Math.min(...candidates.map(({ clink }) => startOf(clink.created_at)))
    const isOrdered = this.#sweep?.isOrdered === true && !Number.isNaN(oldest)
    this.#sweep = new Sweep(clock.now(), isOrdered ? oldest : undefined)
  }

  async #list(sweep: Sweep, signal: AbortSignal): Promise<number> {
    const { api, clock, config, keys, scope } = this.#shared.context
    if (sweep.isFull) await scope.resolve(signal)
    const listedAt = clock.now()
    const key = keys.current
    let page: InboxPage
    try {
      page = await api.checkInbox({ ...sweep.params, for_me: forMe(config) }, { attempts: 1, signal })
    } catch (error) {
      if (!(error instanceof ClinkApiError) || !sweep.isEnlarged) throw error
      if (!refusesNumber(sweep.refusals.weigh(error, clock.now()))) throw error
      sweep.refused()
      return 0
    }
    this.#intake.quarantine.admit(page)
    for (const clink of page.clinks) {
      if (clink.status === 'pending' && !sweep.has(clink.clink_id))
        this.#backlog.set(clink.clink_id, { clink, listedAt, key })
      const created = startOf(clink.created_at)
      if (!Number.isNaN(created)) this.#newest = Math.max(this.#newest ?? created, created)
    }
    const received = page.clinks.length + page.malformed.length
    sweep.note(page, this.#largest)
    if (sweep.isFull) this.#swept.pages = sweep.pages
    this.#largest = Math.max(this.#largest, received)
    this.#noteOrder(sweep)
    return received
  }

  #noteOrder(sweep: Sweep): void {
    if (!sweep.isFull || !sweep.isOver) return
    const { clock, emit } = this.#shared.context
    const before = this.isStarved
    this.#starvedAt = sweep.isStarved ? clock.now() : undefined
    if (sweep.isStarved === before) return
    emit(sweep.isStarved ? { event: 'inbox.starved', advice: STARVED_ADVICE } : { event: 'inbox.reached' })
  }

  /** @returns how many claims were got, and why others were not, where the service failed. */
  async #claim(most: number, signal: AbortSignal): Promise<Claims> {
    if (this.#intake.isClosing) return { claimed: 0 }
    const { keys, siblings } = this.#shared.context
    // Until it is known that claims by id are safe, one of them finds it out.
    const limit = siblings.mayClaimById === true ? Math.min(most, AT_ONCE) : 1
    const work: Promise<ClaimById>[] = []
    for (const [id, candidate] of this.#backlog) {
      if (work.length === limit) break
      this.#backlog.delete(id)
      // What another key has listed is listed anew: the change of the key has asked for a sweep.
      if (candidate.key !== keys.current || candidate.key.stranger !== undefined) continue
      const wanted = this.#intake.wants(candidate.clink, candidate.listedAt)
      if (wanted !== undefined) work.push(this.#claimOne(candidate, wanted, signal))
    }
    const results = await Promise.allSettled(work)
    const fault = results.find(({ status }) => status === 'rejected')
    if (fault?.status === 'rejected') throw fault.reason
    const answers = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const claimed = answers.filter((answer) => answer.is === 'claimed').length
    const failed = answers.find((answer) => answer.is === 'unknown' || answer.is === 'failed')?.error
    return { claimed, failed: failed ?? (claimed > 0 ? undefined : await this.#refusal(answers, signal)) }
  }

  /**
   * A claim that is forbidden may concern its clink only. A key that may claim nothing must not pass for an empty inbox: then this is a
   * refusal of the key, as it is for a claiming poll.
   */
  async #refusal(answers: readonly ClaimById[], signal: AbortSignal): Promise<ClinkApiError | undefined> {
    const refusals = answers.flatMap((answer) => (answer.is === 'refused' ? [answer.error] : []))
    const error = refusals.find((refusal) => refusal !== undefined && forbids(refusal))
    if (error === undefined || !(await lacksPermission(this.#shared.context.api, { attempts: 1, signal })))
      return undefined
    this.sweepSoon()
    return error
  }

  async #claimOne(candidate: Candidate, wanted: Wanted, signal: AbortSignal): Promise<ClaimById> {
    const { clink, listedAt } = candidate
    const answer = await this.#intake.claim(clink, wanted, { signal, notBefore: () => listedAt })
    switch (answer.is) {
      case 'claimed':
        await this.#intake.startClaimed(answer.clink, wanted, answer)
        break
      case 'refused':
        break
      case 'again':
        this.#backlog = new Map([[clink.clink_id, candidate], ...this.#backlog])
        break
      case 'unknown':
        this.#takeUp.lost(1)
        this.sweepSoon()
        break
      case 'failed':
        // It is still pending, and no longer new.
        this.sweepSoon()
    }
    return answer
  }
}

const STARVED_ADVICE =
  'the service does not show the oldest clinks first, and a page of it holds only others: narrow what the key sees, or let the others be worked'
