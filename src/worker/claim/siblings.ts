import { equalJitter } from '../../base/backoff.ts'
import { sleep } from '../../base/clock.ts'
import { Recent } from '../../base/recent.ts'
import { readMoment } from '../../base/time-text.ts'
import type { CallOptions } from '../../clink/client.ts'
import { ClinkApiError } from '../../clink/errors.ts'
import type { Clink } from '../../clink/records.ts'
import { forbids, isVerdict, mayBeKept, refusesNumber, refusesSibling } from '../../clink/verdicts.ts'
import type { ClinkApi } from '../../clink/clink-api.ts'
import type { Identity } from '../../keys/identity.ts'
import { SIBLINGS } from '../../ledger/process.ts'
import type { WorkerContext } from '../context.ts'
import type { ClaimTerms } from './terms.ts'
import { findClink, lossShownBy } from './observe.ts'
import { renewOnce, type OwnClaim, type Renewal } from './renewal.ts'

/** What becomes of a claim on a clink that another session of the same owner holds. */
export type SiblingsVerdict = 'refused' | 'granted' | 'unknown'

/** One try. `unclear`: nobody knows whether it has claimed; `unsent`: it has not, and found out nothing. */
type Trial = SiblingsVerdict | 'unclear' | 'unsent'

/** A claim on which it is tried: its lease becomes what the questions leave of it. */
type Tried = { -readonly [Name in keyof OwnClaim]: OwnClaim[Name] }

export interface SiblingsOptions extends Pick<WorkerContext, 'clock' | 'emit' | 'ledger' | 'random'> {
  readonly api: Pick<ClinkApi, 'claimClink' | 'getClinks'>
  readonly identity: Identity
  /** The same key under another session: a sibling of our own. */
  readonly sibling: Pick<ClinkApi, 'claimClink'>
  /** The verdict is about one service. */
  readonly url: string
  /** The operator's word that nobody else uses the key. */
  readonly exclusive: boolean
  readonly terms: ClaimTerms
}

/** Milliseconds until it is tried again, on another clink, to find out what could not be found out. */
const AGAIN = 60_000
/** So many clinks on which it could not be found out are remembered. */
const IN_VAIN = 1_000
/** The part of a claim's time that its trial may take: the rest is for its renewal. And most milliseconds of it. */
const TRIAL = 1 / 2
const LONGEST_TRIAL = 60_000
const PAUSE = { base: 250, max: 5_000 }

/**
 * Whether claims keep sessions of one owner apart. Claims name their owner and not the session, so only a try tells: on a clink
 * just claimed, before its handler starts, a second session claims it too. Found out once, when it is first wanted, and kept: for all of a fleet.
 */
export class Siblings {
  readonly #options: SiblingsOptions
  #isWanted = false
  #isFinding = false
  #againAt = -Infinity
  /** A clink is tried on once: where the service never tells, it would never be worked. */
  readonly #inVain = new Recent<true>(IN_VAIN)

  constructor(options: SiblingsOptions) {
    this.#options = options
  }

  /** Undefined: not found out yet, or not for certain. */
  get verdict(): 'refused' | 'granted' | undefined {
    const { ledger, url } = this.#options
    return ledger.process.siblings(url)
  }

  /** Whether a claim by id cannot take a sibling's work. Undefined: nobody knows yet. */
  get mayClaimById(): boolean | undefined {
    if (this.#options.exclusive) return true
    const { verdict } = this
    return verdict === undefined ? undefined : verdict === 'refused'
  }

  /** Somebody would claim by id, if it may be. */
  want(): void {
    this.#isWanted = true
  }

  /** A clink that a poll has claimed should be used to find out. */
  isDueOn(clinkId: string): boolean {
    const isDue = this.#isWanted && !this.#isFinding && this.mayClaimById === undefined && this.mayTry
    return isDue && !this.#inVain.has(clinkId)
  }

  /** A try that found out nothing has cost a clink its time: the next one has to wait. */
  get mayTry(): boolean {
    return this.#options.clock.now() >= this.#againAt
  }

  /**
   * Finds out on a clink that was just claimed. It may be run only after `refused`: otherwise a sibling may hold it now.
   *
   * @returns also what the questions leave of the claim's lease.
   */
  async findOut(claim: OwnClaim, signal: AbortSignal) {
    const { clock, emit, ledger, url } = this.#options
    this.#isFinding = true
    try {
      const tried = { ...claim }
      const verdict = await this.#try(tried, signal)
      if (verdict === 'unknown') {
        this.#againAt = clock.now() + AGAIN
        this.#inVain.set(claim.clink.clink_id, true)
      } else await ledger.process.noteServiceFact(url, SIBLINGS, verdict)
      emit({ event: 'worker.siblings', verdict })
      return { verdict, lease: tried.lease }
    } finally {
      this.#isFinding = false
    }
  }

  /** What is not answered is asked again, on the same clink: letting its claim run out would keep it from everybody for as long. */
  async #try(claim: Tried, signal: AbortSignal): Promise<SiblingsVerdict> {
    const { clock, random } = this.#options
    const until = clock.now() + Math.min((claim.lease.deadline - clock.now()) * TRIAL, LONGEST_TRIAL)
    let mayBeTheirs = false
    for (let tries = 1; ; tries += 1) {
      const answer: Trial = mayBeTheirs ? 'unclear' : await this.#ask(claim, signal)
      if (answer !== 'unclear' && answer !== 'unsent') return answer
      // First of all: where a session may not claim twice, the sibling that has the claim would be refused, and look like one that has not.
      mayBeTheirs = answer === 'unclear' && !isAnswer(await this.#claimBack(claim, signal))
      const wait = equalJitter(tries, PAUSE, random)
      // The questions may have made the claim shorter.
      if (signal.aborted || clock.now() + wait >= Math.min(until, claim.lease.deadline)) return 'unknown'
      await sleep(clock, wait, signal)
    }
  }

  async #ask(claim: Tried, signal: AbortSignal): Promise<Trial> {
    const { clink, lease } = claim
    const { clock, terms } = this.#options
    // As with a renewal: until an answer comes the claim may be as short as is asked for.
    const { asked, length, unanswered } = terms.ask(lease, clock.now())
    claim.lease = unanswered
    const limits = { deadline: unanswered.deadline, attempts: 1, signal }
    try {
      await this.#options.sibling.claimClink({ clink_id: clink.clink_id, ...length }, limits)
    } catch (error) {
      if (!(error instanceof ClinkApiError)) throw error
      if (!error.mayHaveHappened) claim.lease = lease
      if (refusesSibling(error) && mayBeKept(error)) {
        // A key that may claim no more is forbidden it under every session.
        if (forbids(error) && (await this.#claimBack(claim, signal)).is !== 'granted') return 'unknown'
        return await this.#confirmed(claim, limits)
      }
      if (asked !== undefined && refusesNumber(error)) {
        terms.asksLength = false
        return await this.#ask(claim, signal)
      }
      if (isVerdict(error)) return 'unknown'
      return error.mayHaveHappened ? 'unclear' : 'unsent'
    }
    await this.#claimBack(claim, signal)
    return 'granted'
  }

  /**
   * Also a clink that is no longer ours is refused, which says nothing about siblings. A claimed one need not be listed. Where the list does not come
   * to the clink, it is ours if it may be claimed once more.
   */
  async #confirmed(claim: Tried, { deadline = 0, signal }: CallOptions): Promise<SiblingsVerdict | 'unsent'> {
    const { api, identity } = this.#options
    const { clink } = claim
    const seen = await findClink(clink, api, deadline, signal)
    if (seen === 'failed') return 'unsent'
    if (seen === 'hidden') return (await this.#claimBack(claim, signal)).is === 'granted' ? 'refused' : 'unknown'
    const isOurs =
      seen === undefined ||
      (seen.status === 'claimed' && lossShownBy(seen, identity) === undefined && isOneTime(seen, clink))
    return isOurs ? 'refused' : 'unknown'
  }

  async #claimBack(claim: Tried, signal: AbortSignal | undefined): Promise<Renewal> {
    const renewal = await renewOnce(claim, { signal }, this.#options)
    if (renewal.is !== 'refused') claim.lease = renewal.lease
    // It may have begun anew.
    const claimed_at = renewal.is === 'granted' ? renewal.record.claimed_at : undefined
    claim.clink = { ...claim.clink, claimed_at }
    return renewal
  }
}

function isAnswer(renewal: Renewal): boolean {
  return renewal.is !== 'failed' || isVerdict(renewal.error)
}

/** Whether both may be about one claim, by the time at which it was made. One that a key of ours has made meanwhile has the same owner. */
function isOneTime(one: Clink, other: Clink): boolean {
  const [first, second] = [readMoment(one.claimed_at), readMoment(other.claimed_at)]
  if (first === undefined || second === undefined) return true
  return Math.abs(first.at - second.at) < Math.max(first.grain, second.grain, 1)
}
