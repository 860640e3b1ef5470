import { AbortSource } from '../../base/abort-source.ts'
import type { Cancel } from '../../base/clock.ts'
import { asError } from '../../base/coded-error.ts'
import { ClinkApiError } from '../../clink/errors.ts'
import type { Clink } from '../../clink/records.ts'
import { isRateLimited } from '../../clink/verdicts.ts'
import type { DeliveryFacts } from '../../events.ts'
import type { Pulse } from '../liveness/pulses.ts'
import type { ClaimInHand } from './claim-in-hand.ts'
import type { ClaimContext } from './context.ts'
import type { ClaimEnding, Shown } from './claim-ending.ts'
import { KeeperMachine } from './keeper-machine.ts'
import type { KeeperStep } from './keeper-step.ts'
import type { Lease, LeaseHolder } from './lease.ts'
import { findClink, lossShownBy } from './observe.ts'
import { renew, type Renewal } from './renewal.ts'
import type { Asking } from './terms.ts'

/** Who works a claim. */
export interface KeeperOwner {
  readonly facts: DeliveryFacts
  /** The claim is another one now. Resolves when that is journalled. */
  note(): Promise<void>
  /** A renewal was answered, and the lease is another one. */
  renewed(): void
  /** Called once, in the turn in which it is known: nothing may be sent for the claim any more. */
  ended(ending: ClaimEnding): void
}

/** Whether code runs for a claim, and may. */
interface Runs {
  readonly isRunning: boolean
  readonly place: { readonly isBarred: boolean } | undefined
}

export interface KeeperOptions {
  readonly clink: Clink
  readonly claim: ClaimInHand
  readonly context: ClaimContext
  /** Its handler is started only after a renewal that has worked. */
  readonly renewsFirst?: boolean | undefined
  /** Absent: nothing runs for the claim, so it is not renewed. It is asked about where its length or its owner is not known. */
  readonly owner?: KeeperOwner
}

/** Makes the requests of one claim when its machine says so, and tells the machine of their answers. */
export class LeaseKeeper implements LeaseHolder {
  readonly #options: KeeperOptions
  readonly #machine: KeeperMachine
  /** Another key made the claim. */
  readonly #isStrange: boolean
  /** Aborts with the claim: a renewal that is late would claim anew what nobody here works any more, or be one beside that of the next claim. */
  readonly #over = new AbortSource()
  readonly #confirmed = Promise.withResolvers<void>()
  /** Resolves when the claim may be worked, or nothing is asked about it any more. */
  readonly confirmed = this.#confirmed.promise
  #pulse: Pulse | undefined
  #cancel: Cancel = () => {}
  #isOver = false
  #runs: Runs | undefined

  constructor(options: KeeperOptions) {
    const { claim, context, owner, renewsFirst = false } = options
    const { key, lease, madeWith = key.fingerprint } = claim
    this.#options = options
    this.#isStrange = madeWith !== key.fingerprint
    this.#machine = new KeeperMachine(
      { ...context, isStrange: this.#isStrange, lease, renews: owner !== undefined, renewsFirst },
      context.clock.now(),
    )
    if (!this.#machine.isUnconfirmed) this.#confirmed.resolve()
  }

  get isUnconfirmed(): boolean {
    return this.#machine.isUnconfirmed
  }

  get lease(): Lease {
    return this.#machine.lease
  }

  get stands(): boolean {
    return !this.#isEstranged && !this.#isBarred && this.#machine.stands(this.#now)
  }

  /** Code that runs, or has just ended, had the right to its key for too short a time. */
  get #isBarred(): boolean {
    return this.#runs?.place?.isBarred === true && this.#runs.isRunning
  }

  /** What a key of somebody else has claimed is worked no more, nor is it asked about what another key has claimed. */
  get #isEstranged(): boolean {
    const { claim, owner } = this.#options
    return claim.key.stranger !== undefined && (this.#isStrange ? this.isUnconfirmed : owner !== undefined)
  }

  /** Ends a claim that is past its deadline as lost, even where its timer is late. @returns whether it stands. */
  check(): boolean {
    if (this.stands) return true
    this.#step()
    return this.stands
  }

  set completing(is: boolean) {
    this.#machine.completing = is
  }

  /** Its first step has a turn of its own: whoever starts it journals the claim in this one. */
  start(runs?: Runs): void {
    this.#runs = runs
    const { clink, context } = this.#options
    const { dueAt } = this.#machine
    this.#pulse = context.pulses.begin(clink.clink_id)
    this.#cancel = context.clock.at(dueAt, () => this.#step())
    this.#pulse.expect('renewal', dueAt - this.#now)
  }

  /** A poll of ours has brought the clink though it is in hand. @param lease of the claim that the poll has told of. */
  claimedAnew(lease: Lease): void {
    if (!this.#machine.claimedAnew(lease)) return
    void this.#options.owner?.note()
    this.#step()
  }

  /** The claim is over: ends renewal, also one on its way. */
  stop(): void {
    this.#machine.stop()
    this.#end()
  }

  /**
   * Ends renewal and resolves when none of the clink is on its way any more, or the lease is gone: a release that overtakes
   * one would be undone by it.
   */
  async stopRenewing(): Promise<void> {
    this.#machine.stopRenewing()
    this.#step()
    const { clink, context } = this.#options
    await new Promise<void>((resolve) => {
      const cancel = context.clock.at(this.lease.deadline, resolve)
      void context.claimsUnderWay.over(clink.clink_id).finally(() => {
        cancel()
        resolve()
      })
    })
  }

  get #now(): number {
    return this.#options.context.clock.now()
  }

  get #facts(): DeliveryFacts {
    return this.#options.owner?.facts ?? { clink: this.#options.clink }
  }

  /** A renewal is on its way, and its answer counts. */
  get #isAsking(): boolean {
    return this.check() && this.#machine.state === 'asking'
  }

  #step(): void {
    this.#cancel()
    if (this.#isEstranged) this.#machine.disowned('taken')
    if (this.#isBarred) this.#machine.disowned('right-expired')
    const now = this.#now
    const step = this.#machine.step(now)
    if (step.do === 'end') return this.#end()
    const { clink, context } = this.#options
    this.#cancel = context.clock.at(step.next, () => this.#step())
    switch (step.do) {
      case 'wait':
        return this.#pulse?.expect('renewal', step.next - now)
      case 'renew':
        return context.claimsUnderWay.note(clink.clink_id, this.#work(this.#renew(step)))
      case 'look':
        void this.#work(this.#look(step.next))
        return
      case 'rest':
        this.#pulse?.end()
        this.#confirmed.resolve()
    }
  }

  async #work(request: Promise<void>): Promise<void> {
    try {
      await request
      this.#step()
    } catch (error) {
      this.#options.context.signals.crashed.say('lease keeper', asError(error))
    }
  }

  async #renew({ asking, refusals, timeout }: Extract<KeeperStep, { do: 'renew' }>): Promise<void> {
    const { claim, clink, context, owner } = this.#options
    const { api } = claim.key
    const mayShorten = asking.unanswered !== asking.lease
    if (mayShorten) await owner?.note()
    if (!this.#isAsking) return
    this.#pulse?.expect('renewal', timeout)
    const over = this.#over.signal
    const signal = owner === undefined ? AbortSignal.any([context.closing, over]) : over
    // The next process would believe the end that is noted.
    const isUnnoted = mayShorten && owner !== undefined && !context.ledger.isKept()
    const renewal = isUnnoted
      ? notSent(asking)
      : await renew({ api, clink }, asking, { refusals, signal, timeout }, context)
    if (!this.#isAsking) return this.#machine.answeredLate(renewal)
    const { isUnconfirmed, lease } = this.#machine
    this.#take(renewal, asking)
    if (!this.check()) return
    if (isUnconfirmed !== this.isUnconfirmed) void owner?.note()
    else if (lease !== this.lease) owner?.renewed()
    if (!this.isUnconfirmed) this.#confirmed.resolve()
  }

  #take(renewal: Renewal, { lease: before }: Asking): void {
    const { emit, outages, rateLimit, terms } = this.#options.context
    const { isUnconfirmed } = this.#machine
    const now = this.#now
    if (renewal.is === 'again') this.#machine.lengthRefused(now)
    if (renewal.is === 'refused') this.#machine.refused(renewal.error, now)
    if (renewal.is === 'failed') {
      const wait = this.#machine.failed(renewal, now)
      const [left, failures] = [this.lease.deadline - now, outages.renewals.failed()]
      emit({ event: 'clink.renewalFailed', ...this.#facts, error: renewal.error, left, failures })
      if (isRateLimited(renewal.error)) rateLimit.refused(wait)
    }
    const outage = renewal.is === 'failed' ? undefined : outages.renewals.ended()
    if (outage !== undefined) emit({ event: 'renewals.recovered', ...outage })
    if (renewal.is !== 'granted') return
    const found = this.#machine.granted(renewal, this.#shown(renewal.record), now)
    const [left, headroom] = [this.lease.deadline - now, before.deadline - now]
    if (found === 'extended') emit({ event: 'clink.renewed', ...this.#facts, left, headroom })
    if (found !== undefined && isUnconfirmed) terms.confirmed()
  }

  /** Whose claim an answer to a renewal shows. */
  #shown(record: Clink): Shown {
    const { claim, context } = this.#options
    const isAsked = this.isUnconfirmed && this.#isStrange
    if (isAsked && !context.keys.accept(claim.key, record.claimed_by)) return 'stranger'
    const shown = lossShownBy(record, context.identity) ?? 'ours'
    // Another key may have stood in for this one, and one that is only presumed to be ours says nothing about us.
    const isOwnAnswer = claim.key.isProven && !claim.key.isPresumed && claim.key === context.keys.current
    if (!isAsked && isOwnAnswer && record.status === 'claimed') context.identity.named(record.claimed_by)
    return shown
  }

  /** Lists show owners, not sessions: a look can only prove that the claim is lost. */
  async #look(deadline: number): Promise<void> {
    const { claim, clink, context } = this.#options
    this.#pulse?.expect('renewal', deadline - this.#now)
    const seen = await findClink(clink, claim.key.api, deadline)
    const shown = typeof seen === 'object' ? (lossShownBy(seen, context.identity) ?? 'ours') : 'ours'
    const refusal = this.#machine.looked(shown, this.#now)
    if (refusal === undefined) return
    const { why, isKept } = refusal
    context.emit({ event: 'clink.renewalRefused', ...this.#facts, why, left: this.lease.deadline - this.#now })
    if (isKept) context.terms.renewsNothing(why)
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#cancel()
    this.#over.abort(OVER)
    this.#pulse?.end()
    this.#confirmed.resolve()
    const { context, owner } = this.#options
    const { ending } = this.#machine
    if (ending?.isUnusable === true) context.terms.unconfirmed()
    if (ending !== undefined) owner?.ended(ending)
  }
}

function notSent({ lease }: Asking): Renewal {
  const facts = { status: 0, detail: undefined, operation: 'claim_clink', mayHaveHappened: false } as const
  const error = new ClinkApiError(UNNOTED, { ...facts, retryAfter: undefined, failure: 'aborted', isBare: false })
  return { is: 'failed', error, lease }
}

const UNNOTED =
  'the journal cannot be written, so that a renewal which may shorten the claim could not be noted before it is sent'

/** Made once: an abort without a reason makes one each time, which costs more than all else at the end of a claim. */
const OVER = new Error('the claim is over')
