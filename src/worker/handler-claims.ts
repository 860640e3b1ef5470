import { sleep, type Clock } from '../base/clock.ts'
import { Recent } from '../base/recent.ts'
import type { CallResult } from '../clink/client.ts'
import { ClinkApiError } from '../clink/errors.ts'

type Call = Pick<CallResult, 'operation' | 'params'>

interface HandlerClaim {
  /** Claims of the clink that are not answered yet. */
  readonly open: number
  /** Local time until which an answered claim, or one whose answer was lost, may have been made. */
  readonly until: number
}

/** How many clinks are remembered. */
const KNOWN = 10_000
/** Milliseconds after which a request that was never answered has claimed nothing that still stands. */
const FORGOTTEN = 600_000

/**
 * Claims that handlers make for themselves through `ctx.api`. They are theirs: the worker never takes them up. Noted when they are
 * asked for, since the answer may get lost. A clink that is pending again is anybody's.
 */
export class HandlerClaims {
  readonly #clock: Clock
  readonly #claims = new Recent<HandlerClaim>(KNOWN)
  /** Claiming polls of handlers that are not answered yet, by their parameters: each resolves when it is. */
  readonly #openPolls = new Map<Call['params'], PromiseWithResolvers<void>>()
  #lostPollsUntil = -Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether a claim that is seen on the clink may be a handler's. */
  has(clinkId: string): boolean {
    return this.#claims.get(clinkId) !== undefined
  }

  /**
   * Whether a handler may hold a clink that a list shows as pending.
   *
   * @param listedAt local time when the list was asked for.
   */
  mayHold(clinkId: string, listedAt: number): boolean {
    const claim = this.#claims.get(clinkId)
    return claim !== undefined && (claim.open > 0 || claim.until >= listedAt)
  }

  /** A claim that nobody knows may be a handler's: a claiming poll of one is not answered. */
  get mayHaveMore(): boolean {
    return this.#openPolls.size > 0 || this.#clock.now() < this.#lostPollsUntil
  }

  /**
   * Waits for the answers to the claiming polls that are on their way now. How long a handler waits for one is its own affair.
   *
   * @param deadline local time until which it is worth while.
   * @returns whether all of them were answered, so that what they claimed is known.
   */
  async polled(deadline: number, signal: AbortSignal): Promise<boolean> {
    const answered = new AbortController()
    const open = [...this.#openPolls.values()].map(async ({ promise }) => await promise)
    if (open.length === 0) return true
    void Promise.all(open).then(() => answered.abort())
    await sleep(this.#clock, deadline - this.#clock.now(), AbortSignal.any([answered.signal, signal]))
    return answered.signal.aborted
  }

  called(call: Call): void {
    const id = claimedId(call)
    if (id !== undefined) this.#note(id, 1)
    if (isClaimingPoll(call)) this.#openPolls.set(call.params, Promise.withResolvers())
  }

  answered(call: CallResult): void {
    const { operation, params, result } = call
    const id = params['clink_id']
    if ((operation === 'release_clink' || operation === 'complete_clink') && typeof id === 'string')
      this.#claims.delete(id)
    const claimed = claimedId(call)
    if (claimed !== undefined) this.#note(claimed, -1, this.#clock.now())
    if (!isClaimingPoll(call)) return
    for (const clinkId of idsOf(result)) this.#note(clinkId, 0, this.#clock.now())
    this.#close(call)
  }

  failed(call: Call, error: unknown): void {
    const mayHaveHappened = !(error instanceof ClinkApiError) || error.mayHaveHappened
    const id = claimedId(call)
    const until = this.#clock.now() + FORGOTTEN
    if (id !== undefined && mayHaveHappened) this.#note(id, -1, until)
    else if (id !== undefined) this.#refused(id)
    if (!isClaimingPoll(call)) return
    this.#close(call)
    if (mayHaveHappened) this.#lostPollsUntil = until
  }

  #close({ params }: Call): void {
    this.#openPolls.get(params)?.resolve()
    this.#openPolls.delete(params)
  }

  #note(clinkId: string, opened: number, until = -Infinity): void {
    const { open, until: before } = this.#claims.get(clinkId) ?? { open: 0, until: -Infinity }
    this.#claims.set(clinkId, { open: Math.max(0, open + opened), until: Math.max(before, until) })
  }

  /** A refused claim says nothing about an earlier one that was granted. */
  #refused(clinkId: string): void {
    this.#note(clinkId, -1)
    const claim = this.#claims.get(clinkId)
    if (claim?.open === 0 && claim.until === -Infinity) this.#claims.delete(clinkId)
  }
}

function claimedId({ operation, params }: Call): string | undefined {
  const id = params['clink_id']
  return operation === 'claim_clink' && typeof id === 'string' ? id : undefined
}

function isClaimingPoll({ operation, params }: Call): boolean {
  return operation === 'check_inbox' && params['claim'] === true
}

function idsOf(page: unknown): readonly string[] {
  const clinks: unknown = Reflect.get(Object(page), 'clinks')
  if (!Array.isArray(clinks)) return []
  return clinks
    .map((clink: unknown): unknown => Reflect.get(Object(clink), 'clink_id'))
    .filter((id) => typeof id === 'string')
}
