import { sleep } from '../../base/clock.ts'
import { asError } from '../../base/coded-error.ts'
import type { ClinkApiError } from '../../clink/errors.ts'
import { forbids, isRateLimited, refusesKey } from '../../clink/verdicts.ts'
import { lacksPermission } from '../../keys/key-check.ts'
import type { Backlog } from './backlog.ts'
import type { Candidate } from './candidate.ts'
import type { ClaimById } from '../claim/claim-by-id.ts'
import { FailedClaims } from './failed-claims.ts'
import type { HeldBack } from './held-back.ts'
import type { Intake } from '../admission/intake.ts'
import { Relists } from './relists.ts'
import type { Purpose } from '../admission/verdict.ts'
import type { AdmissionParts } from '../admission/context.ts'
import type { Seats } from '../capacity/capacity.ts'

/** Why a clink is claimed; a promise where that is known later. */
type Wanted = Purpose | Promise<Purpose | undefined>

interface Claims {
  readonly claimed: number
  readonly failed?: ClinkApiError | undefined
  /** None was made, and some clinks wait for their places. */
  readonly waits?: boolean
}

/** Most claims at once: the rest follows in the next turn. */
const AT_ONCE = 10
/** The part of a claim's time, from its list on, within which it is sent and answered. */
const WORTH_SENDING = 1 / 2
/** A claim that is not answered after so many milliseconds does not keep the others waiting. */
const PATIENCE = 2_000
/** A key that is forbidden to claim so many clinks and was granted none may claim nothing. */
const FORBIDDEN = 3

/** The claims by id on what was listed: what is in the backlog, and what failed a while ago. */
export class SelectClaims {
  readonly #shared: AdmissionParts
  readonly #intake: Intake
  readonly #backlog: Backlog
  readonly #heldBack: HeldBack
  readonly #failed: FailedClaims
  readonly #relists: Relists
  /** Claims that are not answered yet, and what follows from their answers. */
  readonly #open = new Map<string, Promise<ClaimById>>()
  /** The clink whose claim is to show whether claims by id are safe. */
  #trial: string | undefined
  /** Clinks for us or for nobody that the current key is forbidden to claim, as long as it was granted none. */
  readonly #forbidden = new Set<string>()

  constructor(shared: AdmissionParts, intake: Intake, backlog: Backlog, heldBack: HeldBack) {
    this.#shared = shared
    this.#intake = intake
    this.#backlog = backlog
    this.#heldBack = heldBack
    this.#failed = new FailedClaims(shared)
    this.#relists = new Relists(shared.context, heldBack, this.#failed)
  }

  /** Whether there may be claims soon, though nothing is listed. */
  get areExpected(): boolean {
    return this.areOnTheirWay || this.#failed.isWaiting || this.#heldBack.size > 0
  }

  get areOnTheirWay(): boolean {
    return this.#open.size > 0
  }

  /** Until it is known that claims by id are safe, one at a time finds it out. */
  get mayBegin(): boolean {
    const { mayClaimById } = this.#shared.context.siblings
    return mayClaimById ?? this.#trial === undefined
  }

  /** One shows whether the service is back. */
  get most(): number {
    return this.#failed.outage === undefined ? Infinity : 1
  }

  get #isSafe(): boolean {
    return this.#shared.context.siblings.mayClaimById === true
  }

  get retryAt(): number {
    return this.#failed.retryAt
  }

  /** Resolves when every claim is answered and what it brought is admitted. */
  async over(): Promise<void> {
    while (this.#open.size > 0) await Promise.allSettled(this.#open.values())
  }

  /** Whether the list that shows the clink is too old to claim by. */
  isStale(candidate: Candidate): boolean {
    return this.#relists.isStale(candidate)
  }

  /** @returns how many claims were got, and why others were not, where that concerns more than their clinks. */
  async make(most: number, signal: AbortSignal): Promise<Claims> {
    if (this.#intake.isClosing) return { claimed: 0 }
    if (!this.mayBegin) return { claimed: 0 }
    const limit = this.#isSafe ? Math.min(this.most, AT_ONCE) : 1
    const begun: Promise<ClaimById>[] = []
    await this.#lookForSaved(signal)
    let [free, late] = [Math.min(most, this.#shared.capacity.free), 0]
    for (const candidate of this.#candidates()) {
      if (free < 1 || begun.length >= AT_ONCE || begun.length - late >= limit) break
      const id = candidate.clink.clink_id
      this.#backlog.delete(id)
      const wanted = this.#open.has(id) ? undefined : this.#wants(candidate)
      // Where that is known later, its claim waits for it and the others do not.
      const isLate = wanted instanceof Promise
      const seats = isLate || wanted === undefined ? 1 : this.#heldBack.place(candidate, wanted)
      if (seats === undefined) continue
      this.#heldBack.forget(id)
      if (wanted === undefined) continue
      if (isLate) late += 1
      free -= seats
      begun.push(this.#begin(candidate, wanted, this.#shared.capacity.reserve(seats), signal))
    }
    const answers = await this.#answersTo(begun)
    const claimed = answers.filter((answer) => answer.is === 'claimed').length
    const failed = answers.flatMap((answer) => ('error' in answer ? (answer.error ?? []) : [])).find(isAboutAll)
    const why = failed ?? this.#failed.outage ?? (claimed > 0 ? undefined : await this.#refusal(answers, signal))
    return { claimed, failed: why, waits: begun.length === 0 && this.#heldBack.size > 0 }
  }

  /** Seats are kept for what the inbox still shows. */
  async #lookForSaved(signal: AbortSignal): Promise<void> {
    const { saved } = this.#heldBack
    if (saved === undefined || !this.isStale(saved)) return
    const fresh = await this.#relists.fresh(saved, signal)
    if (fresh === undefined) this.#heldBack.forget(saved.clink.clink_id)
    else this.#heldBack.refresh(fresh)
  }

  /** What is to be tried again comes first, unless the service counts as away: then the claims that failed may be all that is wrong. */
  *#candidates(): Iterable<Candidate> {
    const isAway = this.#failed.outage !== undefined
    if (!isAway && this.#heldBack.saved === undefined) yield* this.#failed.due()
    yield* this.#heldBack.startable()
    if (this.#heldBack.saved !== undefined) return
    for (const candidate of this.#backlog.candidates) {
      const id = candidate.clink.clink_id
      if (this.#failed.holdsBack(id)) this.#backlog.delete(id)
      else yield candidate
    }
    if (isAway) yield* this.#failed.due()
  }

  #wants(candidate: Candidate): Wanted | undefined {
    const { clink, key, listedAt, memory } = candidate
    // What another key has listed is listed anew: the change of the key has asked for a sweep.
    const wanted = this.#isInUse(key) ? this.#intake.wanted.for(clink, memory, listedAt) : undefined
    if (!(wanted instanceof Promise)) return this.#wanted(candidate, wanted)
    return wanted.then((purpose) => this.#wanted(candidate, this.#isInUse(key) ? purpose : undefined))
  }

  #wanted({ clink }: Candidate, purpose: Purpose | undefined): Purpose | undefined {
    if (purpose === undefined) this.#failed.forget(clink.clink_id)
    return purpose
  }

  #isInUse(key: Candidate['key']): boolean {
    return key === this.#shared.context.keys.current && key.stranger === undefined
  }

  #begin(candidate: Candidate, wanted: Wanted, seats: Seats, signal: AbortSignal): Promise<ClaimById> {
    const id = candidate.clink.clink_id
    const { capacity, context } = this.#shared
    const work = this.#claimOne(candidate, wanted, seats, signal).finally(() => {
      this.#open.delete(id)
      capacity.limits.giveBack(id)
      seats.free()
      if (this.#trial !== id) return
      this.#trial = undefined
      context.signals.look.say('news')
    })
    this.#open.set(id, work)
    return work
  }

  /** The answers that come soon. One that takes its time concerns its clink only: the rest of the inbox does not wait for it. */
  async #answersTo(begun: readonly Promise<ClaimById>[]): Promise<readonly ClaimById[]> {
    const answers: ClaimById[] = []
    if (begun.length === 0) return answers
    const over = new AbortController()
    const all = Promise.all(begun.map(async (work) => answers.push(await work))).finally(() => over.abort())
    await Promise.race([all, sleep(this.#shared.context.clock, PATIENCE, over.signal)])
    all.catch((error: unknown) => this.#shared.context.signals.crashed.say('claim', asError(error)))
    return answers
  }

  /**
   * A claim that is forbidden may concern its clink only. A key that may claim nothing must not pass for an empty inbox: then this is a
   * refusal of the key, as it is for a claiming poll. Where the service does not tell what a key may, several such clinks do.
   */
  async #refusal(answers: readonly ClaimById[], signal: AbortSignal): Promise<ClinkApiError | undefined> {
    const refusals = answers.flatMap((answer) => (answer.is === 'refused' ? [answer.error] : []))
    const error = refusals.find((refusal) => refusal !== undefined && forbids(refusal))
    if (error === undefined) return undefined
    const { api, signals } = this.#shared.context
    const isKeys = this.#forbidden.size >= FORBIDDEN || (await lacksPermission(api, { attempts: 1, signal }))
    if (!isKeys) return undefined
    for (const id of this.#forbidden) this.#failed.forget(id)
    signals.look.say('everything')
    return error
  }

  async #claimOne(listed: Candidate, first: Wanted, seats: Seats, signal: AbortSignal): Promise<ClaimById> {
    const found = first instanceof Promise ? await first : first
    if (found === undefined) return { is: 'refused' }
    if (first instanceof Promise) {
      const count = this.#heldBack.place(listed, found, seats.count)
      if (count === undefined) return { is: 'again' }
      seats.count = count
    }
    const candidate = await this.#relists.fresh(listed, signal)
    if (candidate === undefined) return { is: 'refused' }
    // Meanwhile the clink may have become too old, another claim may have told whose the key is, or its route was paused.
    const { clink, listedAt } = candidate
    const id = clink.clink_id
    const wants = this.#wants({ ...candidate, memory: await this.#shared.context.ledger.recallOne(id) })
    const wanted = wants instanceof Promise ? await wants : wants
    if (wanted === undefined) return { is: 'refused' }
    // Or a hold that has fallen due took its seat.
    const hasWaited = candidate !== listed || first instanceof Promise || wants instanceof Promise
    if (!this.mayBegin || (hasWaited && this.#shared.capacity.besideKept(seats.count) < seats.count)) {
      this.#backlog.putBack(candidate)
      return { is: 'again' }
    }
    if (!this.#isSafe) this.#trial = id
    // The claim counts from its list: one that waits for long until it is sent would be over, or nearly so, when it is made.
    const deadline = listedAt + this.#shared.context.settings.current.claim.timeout * WORTH_SENDING
    const answer = await this.#intake.byId.make(clink, wanted, seats, { signal, deadline, notBefore: () => listedAt })
    switch (answer.is) {
      case 'claimed':
        this.#failed.granted(id)
        this.#forbidden.clear()
        await this.#intake.startClaimed(answer.clink, wanted, answer)
        break
      case 'refused':
        this.#failed.refused(candidate, answer.error)
        this.#noteForbidden(candidate, answer.error)
        break
      case 'unknown':
      case 'failed':
        if (!isAboutAll(answer.error)) {
          this.#failed.failed(candidate, answer.error)
          break
        }
        this.#failed.forget(id)
        this.#backlog.putBack(candidate)
        break
      case 'again':
        this.#backlog.putBack(candidate)
    }
    return answer
  }

  #noteForbidden({ clink, key }: Candidate, error: ClinkApiError | undefined): void {
    const { identity, keys } = this.#shared.context
    const isFor = typeof clink.for !== 'string' || identity.isUs(clink.for)
    if (error !== undefined && forbids(error) && isFor && key === keys.current) this.#forbidden.add(clink.clink_id)
  }
}

/** Whether a failed claim says something about every request. */
function isAboutAll(error: ClinkApiError): boolean {
  return isRateLimited(error) || refusesKey(error)
}
