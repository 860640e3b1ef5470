import type { Clink } from '../../clink/records.ts'
import type { RoutedFacts, LostCause, ReleaseCause, WorkerEvent } from '../../events.ts'
import type { ClinkApi } from '../../clink/clink-api.ts'
import type { Route } from '../../handlers/route.ts'
import type { Claimed } from './attempts.ts'
import { complete } from './complete.ts'
import type { Execution } from '../execution/execution.ts'
import { keepUnsent } from '../execution/late-outcome.ts'
import type { LeaseKeeper } from '../claim/keeper.ts'
import type { Decision } from '../execution/outcome.ts'
import type { Pulse } from '../liveness/pulses.ts'
import { release } from './release.ts'
import type { SettlementContext } from './context.ts'

export interface SettlementOptions {
  readonly clink: Clink
  readonly mark: Route['mark']
  readonly api: ClinkApi
  readonly keeper: LeaseKeeper
  readonly pulse: Pulse
  readonly context: SettlementContext
  readonly facts: () => RoutedFacts
  /** Journals that a release is to be sent. */
  readonly noteRelease: () => Promise<void>
  readonly execution: Execution
  readonly isStopping: () => boolean
  /** The delivery is settled or lost: nothing more is sent. */
  readonly hasEnded: () => boolean
  readonly on: {
    readonly settled: (event: WorkerEvent) => void
    readonly lost: (cause: LostCause) => void
  }
}

/**
 * What Clink is told about one delivery: a completion until it is confirmed, or a release. What the journal has to know of it is
 * noted first.
 */
export class Settlement {
  readonly #options: SettlementOptions
  readonly #claimed: Claimed
  #isReleasing = false
  #wasLetGo = false
  /** How often the service has failed to take what it is told for as long as a claim lasts, and for how long in all. */
  #failed = { leases: 0, failed: 0 }

  constructor(options: SettlementOptions) {
    const { api, clink, facts, isStopping: isLast, keeper: holder, mark, pulse } = options
    this.#options = options
    const trying = (dueBy: number): void => pulse.expect('settlement', dueBy)
    const failing = async (ms: number): Promise<boolean> => await this.#isFailingTooLong(ms)
    this.#claimed = { clink, mark, api, holder, facts, isLast, confirmed: () => holder.stop(), failing, trying }
  }

  /** A release is on its way: the service may give the clink out again before it is answered. */
  get isReleasing(): boolean {
    return this.#isReleasing
  }

  /** A release was to be sent, whatever came of it. */
  get wasLetGo(): boolean {
    return this.#wasLetGo
  }

  /** What was decided about a run that has ended. A hold that may not be one leaves the clink alone as long as it would have taken. */
  async follow(decision: Decision): Promise<void> {
    const { clink, context, execution, isStopping } = this.#options
    const { ledger } = context
    const id = clink.clink_id
    switch (decision.do) {
      case 'complete':
        await ledger.keepResult(clink, decision.response)
        await this.complete(decision.response)
        return
      case 'release':
        await execution.charge(decision)
        await ledger.coolFor(id, decision.cooldown)
        await this.release(decision.why, decision.reason)
        return
      case 'hold':
        await execution.charge(decision)
        await ledger.coolFor(id, decision.wait)
        await this.release(isStopping() ? 'shutdown' : 'too-many-held', decision.why)
        return
      case 'bury':
        await this.#bury(
          decision.reason,
          decision.tell,
          decision.tell === 'complete' ? { notice: decision.notice } : {},
        )
        if (decision.tell === 'complete') await this.complete(decision.notice)
        else await this.release(decision.why, decision.reason)
    }
  }

  /** @param wasKept an earlier claim or process may have sent it. */
  async complete(response: string | undefined, wasKept = false): Promise<void> {
    const { context, facts, hasEnded, keeper, on } = this.#options
    if (hasEnded()) return
    keeper.completing = true
    const result = await complete(this.#claimed, response, context, wasKept)
    keeper.completing = false
    if (result.is === 'settled' && result.event.event === 'clink.settledElsewhere') keepUnsent(facts(), context)
    if (result.is === 'settled') on.settled(result.event)
    if (result.is === 'lost') on.lost(result.cause)
    if ((result.is === 'unsettleable' || result.is === 'failing') && !hasEnded()) {
      await this.#buryUnsettleable(result.is === 'failing' ? FAILING : result.error.message)
      await this.release('exhausted', 'unsettleable')
    }
    // Otherwise unconfirmed: the lease is gone, or the worker's time for stopping is over and it names what it leaves behind.
    if (result.is !== 'unconfirmed' || !hasEnded() || result.failing === 0) return
    if (await this.#isFailingTooLong(result.failing)) await this.#buryUnsettleable(FAILING)
  }

  async release(why: ReleaseCause, reason?: string): Promise<void> {
    const { context, hasEnded, keeper, noteRelease, on } = this.#options
    if (hasEnded()) return
    await noteRelease()
    if (hasEnded()) return
    this.#isReleasing = true
    this.#wasLetGo = true
    const event = await release(this.#claimed, why, reason, context)
    this.#isReleasing = false
    // By the clock and not the timer: the request may have ended with the lease, which is lost then.
    if (!keeper.stands || hasEnded()) return
    // At the end of its time the worker names the clink as left behind instead.
    if (event.event !== 'clink.leftToExpire' || !context.closing.aborted) on.settled(event)
  }

  /** The service failed over a whole lease, or as long; the second time the result is given up, unless that is an outage of seconds. */
  async #isFailingTooLong(ms: number): Promise<boolean> {
    const { clink, context } = this.#options
    this.#failed = { leases: this.#failed.leases + 1, failed: this.#failed.failed + ms }
    const { leases, failed } = (await context.ledger.countFailedLease(clink.clink_id, ms)) ?? this.#failed
    return leases >= 2 && failed >= LEAST_FAILING
  }

  /** A result is kept all the same: whoever retries the letter has it sent again, and not computed. */
  async #buryUnsettleable(why: string): Promise<void> {
    await this.#bury(`unsettleable: ${why}`, 'release', { keepsResult: true })
  }

  async #bury(
    reason: string,
    tell: 'release' | 'complete',
    { keepsResult = false, ...more }: { readonly keepsResult?: boolean; readonly notice?: string },
  ): Promise<void> {
    const { clink, context, facts } = this.#options
    const { clock, emit, ledger } = context
    const { attempt: attempts = 0, route } = facts()
    const errors = [...ledger.errorsOf(clink.clink_id), reason]
    await ledger.bury({ clink, route, attempts, reason, errors, tell, at: clock.wall(), ...more }, keepsResult)
    emit({ event: 'clink.deadLettered', ...facts(), reason, attempts })
  }
}

/** An outage that is shorter, in milliseconds, costs no result, however short claims are. */
const LEAST_FAILING = 120_000
const FAILING = 'the service failed to take the result over two leases'
