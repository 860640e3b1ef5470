import type { Evidence } from '../judge.ts'
import type { EventRecord, LifeRecord, RunRecord } from '../record.ts'
import { CLAIM_ENDS } from './leases.ts'
import { keyOf, mostOf } from './limits.ts'

/**
 * The clinks that a poll has brought for a route at its limit (§3). They wait on their claims for their route, and what has backed off and
 * falls due meanwhile has the slots that were free when they were claimed. It is told all events of a process, in order.
 */
export class HeldByLimits {
  readonly #evidence: Evidence
  readonly #life: LifeRecord
  readonly #runs: readonly RunRecord[]
  readonly #held = new Set<string>()
  /** Clinks that have been started, by this process or the one before it: they have their keys until they are settled. */
  readonly #begun = new Set<string>()
  /** The same while they do not back off. */
  readonly #going = new Set<string>()

  constructor(evidence: Evidence, life: LifeRecord) {
    this.#evidence = evidence
    this.#life = life
    this.#runs = evidence.record.runs.filter((run) => run.life === life.name)
  }

  /** @param isHeldOn an earlier process had it in hand. */
  note({ event }: EventRecord, isHeldOn: boolean): void {
    if (!('clink' in event)) return
    const id = event.clink.clink_id
    if (event.event === 'clink.claimed') this.#held.delete(id)
    if (event.event === 'clink.started') this.#going.add(id)
    if (event.event === 'clink.started' || (event.event === 'clink.claimed' && isHeldOn)) this.#begun.add(id)
    const isEnd = CLAIM_ENDS.has(event.event) && 'route' in event
    if (event.event === 'clink.held' || isEnd) this.#going.delete(id)
    if (isEnd) this.#begun.delete(id)
  }

  /** Those of the waiting ones that their route could not start at this time, or at one before that was asked about. */
  of(at: number, waiting: readonly string[]): ReadonlySet<string> {
    const active = this.#runs.filter(({ startedAt, endedAt = Infinity }) => startedAt <= at && endedAt > at)
    const going = new Set([...this.#going, ...active.map(({ clinkId }) => clinkId)])
    for (const [index, id] of waiting.entries()) {
      const before = waiting.slice(0, index)
      if (this.#isFull(at, going.size + index, index) || this.#isKeyTaken(id, [...going, ...before])) this.#held.add(id)
    }
    return this.#held
  }

  #isFull(at: number, going: number, before: number): boolean {
    const { rate } = this.#evidence.plan.world.limits ?? {}
    // What others start counts as well, and what might have been started.
    if (rate?.scope === 'fleet') return true
    if (going >= mostOf(this.#evidence, this.#life, { from: at })) return true
    if (rate === undefined) return false
    const since = at - rate.window
    const starts = this.#runs.filter(({ startedAt }) => startedAt > since && startedAt <= at).length
    return since < this.#life.startedAt || starts + before >= rate.count
  }

  #isKeyTaken(id: string, others: readonly string[]): boolean {
    const { emulator, plan } = this.#evidence
    const { serial, serialScope } = plan.world.limits ?? {}
    if (serial === undefined) return false
    // Another member may have it, or have had it until it was killed.
    if (serialScope === 'fleet') return true
    const key = (clinkId: string): string | undefined => {
      const clink = emulator.clink(clinkId)
      return clink && keyOf(clink, serial)
    }
    return [...this.#begun, ...others].some((other) => other !== id && key(other) === key(id))
  }
}
