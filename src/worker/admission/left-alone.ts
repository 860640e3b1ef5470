import { steadyOf } from '../../base/clock.ts'
import { Recent } from '../../base/recent.ts'
import type { LeftAlone } from '../../events.ts'
import type { WorkerContext } from '../context.ts'

/** How many clinks are remembered as left alone. */
const SAID = 10_000

/** A clink that is left alone. */
interface Noted {
  readonly why: LeftAlone
  /** When that was noted last, by the steady clock. */
  readonly at: number
  /** The inbox has not shown it since: others have it, or have done it. */
  isGone: boolean
}

/** Says why clinks are left alone, once, and counts them: a list shows them again and again. */
export class LeftAloneNotices {
  readonly #context: Pick<WorkerContext, 'clock' | 'emit'>
  readonly #noted = new Recent<Noted>(SAID)
  #unrouted = 0

  constructor(context: Pick<WorkerContext, 'clock' | 'emit'>) {
    this.#context = context
  }

  /** Those that are remembered and were not seen to be gone, by their ids. */
  get known(): readonly (readonly [id: string, noted: Omit<Noted, 'isGone'>])[] {
    return [...this.#noted].filter(([, { isGone }]) => !isGone)
  }

  /** It is left alone no more. */
  forget(id: string): void {
    this.#noted.delete(id)
  }

  /** All of the inbox was looked at, from that moment of the steady clock on. @param isThere it was shown, or is in hand. */
  looked(isThere: (id: string) => boolean, at: number): void {
    for (const [id, noted] of this.#noted) noted.isGone ||= noted.at < at && !isThere(id)
  }

  /** How many clinks no route has taken. */
  get unrouted(): number {
    return this.#unrouted
  }

  say(id: string | undefined, why: LeftAlone, detail?: string): void {
    if (id !== undefined && !this.note(id, why)) return
    this.#context.emit({
      event: 'clink.leftAlone',
      clinkId: id,
      why,
      ...(detail === undefined ? {} : { detail }),
    })
  }

  /** @returns whether that is new. */
  note(id: string, why: LeftAlone): boolean {
    const before = this.#noted.get(id)?.why
    this.#noted.set(id, { why, at: steadyOf(this.#context.clock).now(), isGone: false })
    if (before === why) return false
    if (why === 'no-route') this.#unrouted += 1
    return true
  }
}
