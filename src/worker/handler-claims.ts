import type { Clock } from '../base/clock.ts'
import { Recent } from '../base/recent.ts'
import type { CallResult } from '../clink/client.ts'

/** How many clinks are remembered. */
const KNOWN = 10_000
/** Milliseconds after which a poll that was never answered has claimed nothing that still stands. */
const FORGOTTEN = 600_000

/**
 * Claims that handlers make for themselves through `ctx.api`. They are theirs: the worker never takes them up. Noted when they are
 * asked for, since the answer may get lost.
 */
export class HandlerClaims {
  readonly #clock: Clock
  readonly #claims = new Recent<true>(KNOWN)
  #polls = 0
  #polledAt = -Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  has(clinkId: string): boolean {
    return this.#claims.get(clinkId) !== undefined
  }

  /** A claim that nobody knows may be a handler's: a claiming poll of one is not answered. */
  get mayHaveMore(): boolean {
    return this.#polls > 0 && this.#clock.now() < this.#polledAt + FORGOTTEN
  }

  called({ operation, params }: Pick<CallResult, 'operation' | 'params'>): void {
    if (operation === 'claim_clink' && typeof params['clink_id'] === 'string')
      this.#claims.set(params['clink_id'], true)
    if (operation !== 'check_inbox' || params['claim'] !== true) return
    this.#polls += 1
    this.#polledAt = this.#clock.now()
  }

  answered({ operation, params, result }: CallResult): void {
    const id = params['clink_id']
    if ((operation === 'release_clink' || operation === 'complete_clink') && typeof id === 'string')
      this.#claims.delete(id)
    if (operation !== 'check_inbox' || params['claim'] !== true) return
    this.#polls -= 1
    for (const clinkId of idsOf(result)) this.#claims.set(clinkId, true)
  }
}

function idsOf(page: unknown): readonly string[] {
  const clinks: unknown = Reflect.get(Object(page), 'clinks')
  if (!Array.isArray(clinks)) return []
  return clinks
    .map((clink: unknown): unknown => Reflect.get(Object(clink), 'clink_id'))
    .filter((id) => typeof id === 'string')
}
