import type { KeeperOptions } from '../../../src/worker/claim/keeper.ts'
import type { Lease } from '../../../src/worker/claim/lease.ts'

/** Stands for the keeper of a claim: the claim stands until its deadline, or until it is stopped. */
export class FakeKeeper {
  isUnconfirmed = false
  #confirmed = Promise.withResolvers<void>()
  completing = false
  isStopped = false
  lease: Lease
  readonly options: KeeperOptions
  readonly calls: unknown[] = []

  constructor(options: KeeperOptions) {
    this.options = options
    this.lease = options.claim.lease
    this.#confirmed.resolve()
  }

  get confirmed(): Promise<void> {
    return this.#confirmed.promise
  }

  get stands(): boolean {
    return !this.isStopped && this.options.context.clock.now() < this.lease.deadline
  }

  check(): boolean {
    if (!this.stands && !this.isStopped) this.options.owner?.ended({ is: 'lost', cause: 'expired', isUnusable: false })
    return this.stands
  }

  /** Until `confirm` the claim may not be worked. */
  doubt(): void {
    this.isUnconfirmed = true
    this.#confirmed = Promise.withResolvers()
  }

  confirm(): void {
    this.isUnconfirmed = false
    this.#confirmed.resolve()
  }

  start(runs: unknown): void {
    this.calls.push(['start', runs])
  }

  claimedAnew(lease: Lease): void {
    this.calls.push(['claimedAnew', lease])
  }

  stop(): void {
    this.isStopped = true
  }
}
