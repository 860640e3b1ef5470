import type { LostCause, ReleaseCause, RoutedFacts } from '../../events.ts'
import type { ClinkApi } from '../../clink/clink-api.ts'
import type { Clink } from '../../clink/records.ts'
import type { Route } from '../../handlers/route.ts'
import type { WorkerKey } from '../../keys/keys.ts'
import type { WorkedClaim } from '../claim/claim-in-hand.ts'
import { toHeldClaim, unwritten } from '../claim/journalled-claim.ts'
import { LeaseKeeper, type KeeperOwner } from '../claim/keeper.ts'
import type { Lease } from '../claim/lease.ts'
import type { ClaimEnding } from '../claim/claim-ending.ts'
import {
  factsOf,
  type GivenUp,
  type Handle,
  type HandleOwner,
  type ReleaseFacts,
  type Settled,
} from '../delivery/handle.ts'
import type { Pulse } from '../liveness/pulses.ts'
import { LEAST_FAILING, type Claimed } from './attempts.ts'
import { complete, FAILING } from './complete.ts'
import type { SettlementContext } from './context.ts'
import { release } from './release.ts'

/**
 * A clink that we have claimed: renewed from the beginning to the end, journalled as its owner has it, and settled once. Renewal ends
 * before a release is sent, since a renewal that arrives after it would claim the clink again, and after a completion was confirmed.
 */
export class ClaimHandle implements Handle, Claimed, KeeperOwner {
  readonly of = 'claim'
  readonly clink: Clink
  readonly key: WorkerKey
  readonly pulse: Pulse
  readonly holder: LeaseKeeper
  readonly mark: Route['mark']
  readonly memory: WorkedClaim['memory']
  heldFor = 0
  isAsleep = false
  isReleasing = false
  releaseTried = false
  isLast = false
  readonly #route: Route
  readonly #madeWith: string
  readonly #context: SettlementContext
  #owner: HandleOwner | undefined
  #settled: Settled | undefined
  /** It may be somebody else's by the next start, which is not to hold on to it: what is journalled says so from then on, whoever has it journalled. */
  #isLetGo = false
  /** The deadline that the journal knows, in local time; 0: none. */
  #journalledTo = 0
  /** Clink is being told: what it shows as done may be our own doing. */
  #isTelling = false
  /** How often the service has failed to take what it is told for as long as a claim lasts, and for how long in all. */
  #failed = { leases: 0, over: 0 }

  constructor(clink: Clink, route: Route, claim: WorkedClaim, context: SettlementContext) {
    const { key, madeWith = key.fingerprint, memory } = claim
    this.clink = clink
    this.memory = context.ledger.work(memory)
    this.key = key
    this.mark = route.mark
    this.pulse = context.pulses.begin(clink.clink_id)
    this.#route = route
    this.#madeWith = madeWith
    this.#context = context
    this.holder = new LeaseKeeper({ clink, claim, context, owner: this, renewsFirst: route.renewFirst })
    // A result that is kept may have been sent: what a renewal shows may be its own doing.
    this.holder.completing = this.hasKept
  }

  get api(): ClinkApi {
    return this.key.api
  }

  get facts(): RoutedFacts {
    return factsOf(this.clink, this.#route.name, this.#owner)
  }

  get deadline(): number {
    return this.holder.lease.deadline
  }

  get hasKept(): boolean {
    return this.memory.unconfirmed(this.clink) !== undefined
  }

  get outlived(): Handle['outlived'] {
    return { times: this.memory.tried.outlived, timesAbsent: this.#context.terms.timesAbsent }
  }

  start(owner: HandleOwner): void {
    this.#owner = owner
    this.holder.start(owner)
    this.#context.emit({ event: 'clink.claimed', ...this.facts, lease: this.deadline - this.#context.clock.now() })
  }

  ready(): Promise<boolean> | boolean {
    return this.holder.isUnconfirmed || !this.#context.ledger.isCurrent(this.memory) ? this.#readyLater() : this.check()
  }

  async #readyLater(): Promise<boolean> {
    await this.holder.confirmed
    await this.#context.ledger.refresh(this.memory)
    return this.check()
  }

  valid(): boolean {
    return this.holder.stands
  }

  check(): boolean {
    return this.holder.check()
  }

  claimedAnew(lease: Lease): void {
    this.holder.claimedAnew(lease)
  }

  note(): Promise<void> {
    return this.#context.ledger.process.hold(this.#held())
  }

  /** Journalled where the journal says too much, or less than half a lease: a start after a crash counts on no more than it says. */
  renewed(): void {
    const { deadline, grantedAt } = this.holder.lease
    const left = this.#journalledTo - this.#context.clock.now()
    if (deadline < this.#journalledTo || left < (deadline - grantedAt) / 2) void this.note()
  }

  begin(isAlone: boolean): Promise<number> {
    return this.#context.ledger.begin({ claim: this.#held() }, isAlone)
  }

  #held() {
    this.#journalledTo = this.deadline
    const claim = {
      clink: this.clink,
      route: this.#route.name,
      lease: this.holder.lease,
      dueAt: this.#owner?.dueAt,
      running: this.#owner?.isRunning ?? false,
      releasing: this.#isLetGo,
      key: this.holder.isUnconfirmed ? this.#madeWith : this.key.fingerprint,
      isAsleep: this.isAsleep,
    }
    return toHeldClaim(claim, this.#context.clock, this.#context.boot)
  }

  drain(): void {
    this.isLast = true
  }

  ended(ending: ClaimEnding): void {
    if (ending.is === 'lost') return void this.#lose(ending.cause)
    const left = this.#end({ is: 'left-to-expire', why: ending.why })
    this.#owner?.lost(left)
  }

  async complete(response: string | undefined): Promise<Settled> {
    this.#isTelling = true
    await this.#context.ledger.keepResult(this.clink, response)
    return await this.#complete(response, false)
  }

  async completeKept(): Promise<Settled> {
    this.#context.emit({ event: 'clink.replayed', ...this.facts })
    return await this.#complete(this.memory.unconfirmed(this.clink)?.response, true)
  }

  async release(why: ReleaseCause, { reason, cooldown, noted }: ReleaseFacts = {}): Promise<Settled> {
    const { ledger } = this.#context
    this.#isTelling = true
    this.#isLetGo = true
    const cooled = cooldown === undefined ? undefined : ledger.cooling.set(this.clink.clink_id, cooldown)
    // In one commit: where they are slow, a stop has no time for several.
    await Promise.all([noted, cooled, this.#settledByNow() === undefined ? this.note() : undefined])
    const before = this.#settledByNow()
    if (before !== undefined) return before
    // By the journal's account the next process would hold on to what somebody else has by then.
    if (!ledger.isHealthy) return this.#end({ is: 'left-to-expire', why: unwritten(ledger) })
    this.isReleasing = this.releaseTried = true
    const settled = await release(this, why, reason, this.#context)
    this.isReleasing = false
    // By the clock and not the timer: the request may have ended with the lease, which is lost then.
    const lost = this.#settledByNow()
    if (lost !== undefined || settled.is !== 'unconfirmed') return lost ?? this.#end(settled)
    this.#isLetGo = settled.hadNoEffect !== true
    void this.note()
    return settled
  }

  async giveUp({ notice, reason, tell, why }: GivenUp): Promise<Settled> {
    this.#isTelling = true
    await this.#deadLetter(reason, tell, tell === 'complete' ? { notice } : {})
    return tell === 'complete' ? await this.#complete(notice, false) : await this.release(why, { reason })
  }

  end(): void {
    this.#context.ledger.leave(this.memory)
    this.holder.stop()
    this.pulse.end()
  }

  /** Clink has the result. */
  confirmed(): void {
    this.holder.stop()
  }

  /** The service failed over a whole lease, or as long; the second time the result is given up, unless that is an outage of seconds. */
  async failing(ms: number): Promise<boolean> {
    this.#failed = { leases: this.#failed.leases + 1, over: this.#failed.over + ms }
    const { leases, over } = (await this.#context.ledger.failedLease(this.clink.clink_id, ms)) ?? this.#failed
    return leases >= 2 && over >= LEAST_FAILING
  }

  trying(within: number): void {
    this.pulse.expect('settlement', within)
  }

  /** @param wasKept an earlier claim or process may have sent it. */
  async #complete(response: string | undefined, wasKept: boolean): Promise<Settled> {
    const before = this.#settledByNow()
    if (before !== undefined) return before
    this.#isTelling = true
    this.holder.completing = true
    const told = await complete(this, response, this.#context, wasKept)
    this.holder.completing = false
    switch (told.is) {
      case 'completed':
        // It counts for a claim that has just run out as well: an older poll may show the clink as ours.
        return this.#end(told)
      case 'elsewhere':
        void this.#context.ledger.settledElsewhere(this.facts)
        return this.#settled ?? this.#end(told)
      case 'unsettleable': {
        const lost = this.#settledByNow()
        if (lost !== undefined) return lost
        await this.#deadLetterUnsettleable(told.why)
        return await this.release('exhausted', { reason: 'unsettleable' })
      }
      case 'lost':
      case 'unconfirmed': {
        const lost = told.is === 'lost' ? this.#lose(told.cause) : this.#settledByNow()
        if (lost === undefined) return { is: 'unconfirmed' }
        if (told.failing > 0 && (await this.failing(told.failing))) await this.#deadLetterUnsettleable(FAILING)
        return lost
      }
    }
  }

  #settledByNow(): Settled | undefined {
    this.holder.check()
    return this.#settled
  }

  #lose(cause: LostCause): Settled {
    if (this.#settled !== undefined) return this.#settled
    const { clock, ledger } = this.#context
    const { deadline, end, grantedAt } = this.holder.lease
    if (this.#isTelling && cause === 'completed-elsewhere') void ledger.settledElsewhere(this.facts)
    // Up to the deadline and not to the end: of a short claim the margin is the better part.
    const hadItsTime = (this.#owner?.age ?? 0) >= (deadline - grantedAt) / 2
    if (cause === 'refused' && hadItsTime) void ledger.outcome(this.clink.clink_id, { is: 'outlived' })
    const lapsedAt = clock.now() >= deadline ? end : undefined
    this.#settled = { is: 'lost', cause, whileTelling: this.#isTelling, lapsedAt }
    this.#isLetGo = true
    this.holder.stop()
    this.#owner?.lost(this.#settled)
    // What still runs may end the process: the next start has to know what it was.
    void (this.#owner?.isRunning === true ? this.note() : ledger.process.drop(this.clink.clink_id))
    return this.#settled
  }

  #end(settled: Settled): Settled {
    this.#settled = settled
    this.holder.stop()
    void this.#context.ledger.process.drop(this.clink.clink_id)
    return settled
  }

  /** A result is kept all the same: whoever retries the letter has it sent again, and not computed. */
  async #deadLetterUnsettleable(why: string): Promise<void> {
    await this.#deadLetter(`unsettleable: ${why}`, 'release', { keepsResult: true })
  }

  async #deadLetter(
    reason: string,
    tell: 'release' | 'complete',
    { keepsResult = false, ...more }: { readonly keepsResult?: boolean; readonly notice?: string },
  ): Promise<void> {
    const { clock, emit, ledger, signals } = this.#context
    // Of a letter whose notice is given up: it keeps what it has.
    const before = this.memory.letter
    const { attempt: attempts = before?.attempts ?? 0, clink, route } = this.facts
    const errors = [...(before?.errors ?? []), ...this.memory.tried.errors, reason]
    await ledger.deadLetter({ clink, route, attempts, reason, errors, tell, at: clock.wall(), ...more }, keepsResult)
    emit({ event: 'clink.deadLettered', ...this.facts, reason, attempts })
    signals.deadLettered.say(clink)
  }
}
