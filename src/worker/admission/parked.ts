import { after, type Cancel } from '../../base/clock.ts'
import { asError } from '../../base/coded-error.ts'
import { Recent } from '../../base/recent.ts'
import type { Clink } from '../../clink/records.ts'
import type { LeftAlone } from '../../events.ts'
import type { Pauses } from '../capacity/pauses.ts'
import type { ClaimInHand } from '../claim/claim-in-hand.ts'
import { timesOf, unwritten } from '../claim/journalled-claim.ts'
import type { Settled } from '../delivery/handle.ts'
import { tellEnd } from '../delivery/told.ts'
import type { Claimed } from '../settlement/attempts.ts'
import { release } from '../settlement/release.ts'
import type { RunRegister } from '../execution/run-register.ts'
import { LeaseKeeper } from '../claim/keeper.ts'
import type { Lease } from '../claim/lease.ts'
import type { WorkerKey } from '../../keys/keys.ts'
import type { AdmissionContext } from './context.ts'

/** How many clinks are remembered as parked before. */
const KNOWN = 10_000
/** What is parked only to be released at once: nothing has to be known of its claim. */
const GIVEN_BACK: ReadonlySet<LeftAlone> = new Set(['stopping', 'other-owner', 'owner-unknown'])

const FOLLOWED = 'a later claim on its clink is in hand'

interface Entry {
  readonly clink: Clink
  readonly claim: ClaimInHand
  readonly holder: LeaseKeeper
  readonly why: LeftAlone
  /** Local time at which the clink may be worked. */
  readonly dueAt: number | undefined
  forget: Cancel
  /** Ends the wait for the time at which its clink may be worked. */
  readonly waitNoLonger: Cancel
  /** A later claim on its clink is in hand. */
  isFollowed: boolean
  /** It is to be released when the code of an earlier claim on its clink has ended. */
  isBehind: boolean
}

/**
 * Claims on clinks that are not run now. A claiming poll gives them whether wanted or not; released at once they would come
 * back with the next poll, so they are kept, without a slot and without renewal, until they run out. A stop releases them, and so do the
 * end of a wait that is shorter than the claim, and a reload after which they are work. While code of an earlier claim on the clink goes on
 * here, only a stop does. Claims that are another owner's are released at once. All others are journalled, so that the next start
 * has them after a crash.
 */
export class Parked {
  readonly #context: AdmissionContext
  readonly #pauses: Pick<Pauses, 'isWhole'>
  readonly #runs: Pick<RunRegister, 'busy'>
  readonly #entries = new Map<string, Entry>()
  readonly #known = new Recent<true>(KNOWN)
  /** A claim is released once, though the end of polling closes again; a new claim on the same clink is another one. */
  readonly #releases = new Map<Entry, Promise<void>>()
  readonly #closing = new AbortController()

  constructor(context: AdmissionContext, pauses: Pick<Pauses, 'isWhole'>, runs: Pick<RunRegister, 'busy'>) {
    this.#context = context
    this.#pauses = pauses
    this.#runs = runs
  }

  get size(): number {
    return this.#entries.size
  }

  get ids(): readonly string[] {
    return [...this.#entries.keys()]
  }

  /** `left`: milliseconds until the claim runs out. */
  get list() {
    const now = this.#context.clock.now()
    return [...this.#entries].map(([clinkId, { clink, holder, why }]) => {
      return { clinkId, sender: clink.sender_id, why, left: Math.max(0, holder.lease.end - now) }
    })
  }

  /** Whether a claim on the clink is parked. */
  has(clinkId: string): boolean {
    return this.#entries.has(clinkId)
  }

  /** Whether the clink was ever parked. */
  knows(clinkId: string): boolean {
    return this.#known.get(clinkId) !== undefined
  }

  /** @param wait milliseconds after which the clink may be worked; undefined: not under this claim. */
  add(clink: Clink, claim: ClaimInHand, why: LeftAlone, wait?: number): void {
    const { clock, emit } = this.#context
    const { lease } = claim
    const holder = new LeaseKeeper({ clink, claim, context: this.#context })
    const before = this.#entries.get(clink.clink_id)
    if (before !== undefined) this.#follow(before)
    const waitNoLonger = wait === undefined ? () => {} : after(clock, wait, () => this.#waited(entry))
    const begun = { forget: () => {}, isFollowed: false, isBehind: false }
    const dueAt = wait === undefined ? undefined : clock.now() + wait
    const entry: Entry = { clink, claim, holder, why, dueAt, waitNoLonger, ...begun }
    this.#entries.set(clink.clink_id, entry)
    this.#forgetLater(entry)
    if (this.#isAtOnce(entry)) void this.#context.ledger.process.unpark(clink.clink_id)
    else {
      this.#note(entry)
      void this.#confirm(entry, before)
    }
    const again = this.knows(clink.clink_id)
    this.#known.set(clink.clink_id, true)
    emit({ event: 'clink.parked', clink, why, again, lease: lease.deadline - clock.now() })
    // Nothing is polled, so that it does not come back at once.
    const isPaused = why === 'paused' && this.#pauses.isWhole
    if (this.#closing.signal.aborted || isPaused) this.#release(clink.clink_id)
  }

  /** Claims that were made for somebody else, or may have been, are given back at once. */
  refuse(claims: ReadonlyMap<Clink, Lease>, key: WorkerKey, why: LeftAlone): void {
    const { crashed } = this.#context.signals
    for (const [clink, lease] of claims) {
      this.add(clink, { lease, key }, why)
      this.giveBack(clink.clink_id).catch((error: unknown) => crashed.say('release', asError(error)))
    }
  }

  /** A later claim on the clink is about to be taken up: a release of this one would end that. */
  follow(clinkId: string): void {
    const entry = this.#entries.get(clinkId)
    if (entry !== undefined) entry.isFollowed = true
  }

  /** A later claim on the clink is worked, or this one is: whoever does that answers for it, and a stop may not take it away. */
  handOver(clinkId: string): void {
    const entry = this.#entries.get(clinkId)
    if (entry === undefined) return
    this.#follow(entry)
    this.#forget(entry)
  }

  /** Releases the claim on one clink, if it is parked, so that it comes back at once. Resolves when that is over, or has to wait. */
  async giveBack(clinkId: string): Promise<void> {
    this.#release(clinkId)
    const entry = this.#entries.get(clinkId)
    if (entry !== undefined) await this.#releases.get(entry)
  }

  /** Releases those that may be worked after all, so that they come back at once. Resolves with whether there are any, when that is over. */
  async giveBackIf(isWanted: (clink: Clink) => Promise<boolean>): Promise<boolean> {
    const released = [...this.#entries.values()].map(async (entry) => {
      const id = entry.clink.clink_id
      if (!(await isWanted(entry.clink)) || this.#entries.get(id) !== entry) return false
      this.#waited(entry)
      await this.#releases.get(entry)
      return true
    })
    return (await Promise.all(released)).includes(true)
  }

  /** Releases those of paused routes. Resolves when that is over, or has to wait. */
  async giveBackPaused(): Promise<void> {
    for (const entry of this.#entries.values()) if (entry.why === 'paused') this.#waited(entry)
    await Promise.all(this.#releases.values())
  }

  /** Releases what is parked, and from now on whatever is added. Resolves when nothing is left to release. */
  async close(): Promise<void> {
    this.#closing.abort()
    for (const id of this.#entries.keys()) this.#release(id)
    while (this.#releases.size > 0) await Promise.all(this.#releases.values())
  }

  /** Asks about the claim when nothing is asked any more about the one before: each question moves the end at the service. */
  async #confirm(entry: Entry, before: Entry | undefined): Promise<void> {
    await before?.holder.stopRenewing()
    entry.holder.start()
    if (!entry.holder.isUnconfirmed) return
    await entry.holder.confirmed
    this.#forgetLater(entry)
    if (this.#entries.get(entry.clink.clink_id) === entry && !this.#releases.has(entry)) this.#note(entry)
  }

  #note({ claim, clink, dueAt, holder, why }: Entry): void {
    const { boot, clock, ledger } = this.#context
    const { key: made, madeWith = made.fingerprint } = claim
    const key = holder.isUnconfirmed ? madeWith : made.fingerprint
    void ledger.process.park({ clink, why, key, ...timesOf({ dueAt, lease: holder.lease }, clock, boot) })
  }

  #forget({ clink: { clink_id: id } }: Entry): void {
    this.#entries.delete(id)
    void this.#context.ledger.process.unpark(id)
  }

  /** Nothing more is sent for the claim: a release that has waited would be one of the next claim. */
  #follow(entry: Entry): void {
    entry.isFollowed = true
    entry.forget()
    entry.waitNoLonger()
    entry.holder.stop()
  }

  /** When the claim is over. */
  #forgetLater(entry: Entry): void {
    const { clink, holder } = entry
    if (this.#entries.get(clink.clink_id) !== entry) return
    entry.forget()
    entry.forget = this.#context.clock.at(holder.lease.end, () => {
      entry.waitNoLonger()
      this.#forget(entry)
    })
  }

  /** Where nobody told how long the claim lasts, it may be over there, and the release could take away somebody else's. */
  #waited({ clink, holder }: Entry): void {
    if (holder.lease.basis === 'told') this.#release(clink.clink_id)
  }

  #release(id: string): void {
    const entry = this.#entries.get(id)
    if (entry === undefined || entry.isFollowed || this.#releases.has(entry)) return
    const busy = this.#isAtOnce(entry) ? undefined : this.#runs.busy(id)
    if (busy !== undefined) return this.#releaseAfter(busy, entry)
    const work = this.#endClaim(entry).finally(() => this.#releases.delete(entry))
    this.#releases.set(entry, work)
  }

  #isAtOnce({ why }: Entry): boolean {
    return this.#closing.signal.aborted || GIVEN_BACK.has(why)
  }

  /** Whoever got the clink now would run it beside what goes on here. */
  #releaseAfter(busy: Promise<unknown>, entry: Entry): void {
    if (entry.isBehind) return
    entry.isBehind = true
    const { clink_id: id } = entry.clink
    void busy.then(() => {
      entry.isBehind = false
      if (this.#entries.get(id) === entry) this.#release(id)
    })
  }

  async #endClaim(entry: Entry): Promise<void> {
    const { claim, clink, holder } = entry
    const closing = this.#closing.signal
    const claimed = {
      clink,
      api: claim.key.api,
      holder,
      facts: { clink },
      get isLast() {
        return closing.aborted
      },
    }
    const settled = await this.#giveUp(entry, claimed)
    holder.stop()
    // The next start gives it back. A release that may have had an effect is not sent again.
    if (settled.is === 'unconfirmed' && settled.hadNoEffect === true && !entry.isFollowed) this.#note(entry)
    // At the end of the time for stopping the entry stays: it is named as left behind.
    if (this.#context.closing.aborted) return
    entry.forget()
    if (this.#entries.get(clink.clink_id) === entry) this.#entries.delete(clink.clink_id)
    // What becomes of the clink is said of the claim that has followed.
    if (!entry.isFollowed || settled.is === 'released') tellEnd(settled, claimed.facts, this.#context)
  }

  async #giveUp(entry: Entry, claimed: Claimed): Promise<Settled> {
    const { ledger } = this.#context
    await ledger.process.unpark(entry.clink.clink_id)
    // By the journal's account the next process would hold on to what somebody else has by then.
    if (!ledger.isKept()) return { is: 'left-to-expire', why: unwritten(ledger) }
    if (entry.isFollowed) return { is: 'left-to-expire', why: FOLLOWED }
    return await release(claimed, 'parked', undefined, this.#context)
  }
}
