import { after, sleep, type Cancel } from '../base/clock.ts'
import { asError } from '../base/coded-error.ts'
import type { Wish } from './capacity/pauses.ts'
import type { WorkerParts } from './parts.ts'

/** The most that the poll on its way may take before anything is given back, in milliseconds. */
const LONGEST_POLL = 2_000
/** Milliseconds between two looks for what has come into hand since: what was on its way, or was being judged. */
const LOOK = 250

/**
 * A worker that is drained takes nothing more and gives back what waits, as at a stop; what runs is asked to finish soon, and is not
 * aborted. The process stays. It can be undone, and what is claimed then is worked as ever.
 */
export class Drain {
  readonly #parts: WorkerParts
  #cancel: Cancel = () => {}
  /** Told anew of each drain. */
  #isSaid = false

  constructor(parts: WorkerParts) {
    this.#parts = parts
  }

  async begin(wish: Wish): Promise<void> {
    const { context, pauses } = this.#parts.shared
    if (pauses.isDraining) return
    pauses.drain(wish)
    this.#isSaid = false
    // A clink that is given back before the poll on its way is answered may be claimed again by it.
    const over = new AbortController()
    const polled = this.#parts.ways.over().then(() => over.abort())
    await Promise.race([polled, sleep(context.clock, LONGEST_POLL, over.signal)])
    this.#look()
  }

  /** It takes clinks again. */
  end(): void {
    this.#cancel()
    this.#parts.reruns.resume()
  }

  /** How far it is, where somebody wants it and nobody has resumed the worker since. */
  get state(): { readonly inHand: number; readonly isDone: boolean; readonly isDraining: boolean } {
    const { inHand, isDone } = this
    return { inHand, isDone, isDraining: this.#parts.shared.pauses.isDraining }
  }

  /** Nothing is in hand any more, and nothing can come. */
  get isDone(): boolean {
    return this.#parts.shared.pauses.isDraining && this.inHand === 0
  }

  /** How many clinks it has in hand, be it only to be given back; one more where a claim is on its way. */
  get inHand(): number {
    const { select, ways } = this.#parts
    return this.work + this.#parts.parked.size + Number(ways.isTaking || select.isClaiming)
  }

  /** How many clinks are worked, or wait for that. */
  get work(): number {
    const { acknowledgements, deliveries, reruns, undecided } = this.#parts
    const claimed = deliveries.live.length + undecided.ids.length + acknowledgements.ids.length
    return claimed + deliveries.in('lost').length + reruns.size
  }

  #look(): void {
    const { deliveries, parked, reruns, shared } = this.#parts
    const { clock, emit, signals, stopping } = shared.context
    if (!shared.pauses.isDraining || stopping.aborted) return
    for (const delivery of deliveries.live) delivery.drain(false)
    for (const id of parked.ids)
      parked.giveBack(id).catch((error: unknown) => signals.crashed.say('drain', asError(error)))
    reruns.drain()
    if (this.inHand > 0) this.#cancel = after(clock, LOOK, () => this.#look())
    else if (!this.#isSaid) {
      this.#isSaid = true
      emit({ event: 'worker.drained' })
    }
  }
}
