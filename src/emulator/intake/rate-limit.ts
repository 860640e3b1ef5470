import { Refusal } from '../refusal.ts'
import { stamp, type World } from '../world.ts'

const SECOND = 1_000

/** Counts a key's requests of the last second. */
export class RateLimiter {
  readonly #taken = new Map<string, number[]>()

  /** 429 when the key has had its requests; a refused one does not count. */
  take(world: World, key: string, now: number): void {
    const { perSecond, retryAfter } = world.switchboard.rules.rateLimit
    if (perSecond === Infinity) return
    const taken = (this.#taken.get(key) ?? []).filter((at) => at > now - SECOND && at <= now)
    this.#taken.set(key, taken)
    const [oldest] = taken
    if (taken.length < perSecond || oldest === undefined) {
      taken.push(now)
      return
    }
    const free = oldest + SECOND
    const headers: Record<string, string> = {}
    if (retryAfter === 'seconds') headers['retry-after'] = String(Math.ceil((free - now) / SECOND))
    // A date has whole seconds only, so the next one is named.
    if (retryAfter === 'date') {
      headers['retry-after'] = new Date(Math.ceil(Date.parse(stamp(world, free)) / SECOND) * SECOND).toUTCString()
    }
    throw new Refusal(429, `More than ${perSecond} requests a second`, { headers })
  }
}
