import {
  PERMIT_LASTS,
  type KeyRight,
  type LimitsAnswer,
  type LimitStore,
  type LimitsWish,
} from '../../src/ledger/fleet-limits.ts'

/** Where nothing is the fleet's. */
export const noLimits: LimitStore = {
  ask: async () => await Promise.reject(new Error('no limit here is of a fleet')),
  renew: async () => await Promise.reject(new Error('no limit here is of a fleet')),
}

/** Milliseconds. Who has waited for longer goes before those that ask later. */
const PATIENCE = 1_000

interface Held {
  readonly token: string
  readonly member: string
  readonly clink: string
  readonly until: number
}

/** What a store does about limits, without its order of who waits for keys: for members on one time. */
export class MemoryLimits {
  readonly keys = new Map<string, Held>()
  /** For which somebody has waited, and waits no more. */
  readonly left: string[] = []
  /** Who was given no permit of a route, since when, and when it asked last. */
  readonly #waits = new Map<string, Map<string, { readonly since: number; readonly seen: number }>>()
  readonly #permits = new Map<string, Map<string, number>>()
  readonly #now: () => number
  /** So many statements were carried out. */
  asked = 0
  /** Nobody reaches it. */
  isAway = false
  /** Milliseconds that an answer takes. */
  readonly #takes: (ms: number) => Promise<void>

  constructor(now: () => number, takes: (ms: number) => Promise<void> = async () => {}) {
    this.#now = now
    this.#takes = takes
  }

  for(member: string): LimitStore {
    return {
      ask: async (wish, length) => await this.#within(() => this.ask(member, wish, length)),
      renew: async (rights, length) => await this.#within(() => this.renew(member, rights, length)),
    }
  }

  ask(member: string, { freed, keys, rates }: LimitsWish, length: number): LimitsAnswer {
    const granted = new Set<string>()
    const holders = new Map<string, string>()
    const found = new Map<string, { wait: number; left: number }>()
    for (const { key, route, token } of freed) {
      if (token === '') this.left.push(`${route} ${key}`)
      if (this.keys.get(`${route} ${key}`)?.token === token) this.keys.delete(`${route} ${key}`)
    }
    for (const { clink, key, route, token } of keys) {
      const held = this.keys.get(`${route} ${key}`)
      const isSame = held?.member === member && held.clink === clink
      if (held !== undefined && held.until > this.#now() && !isSame) {
        holders.set(token, held.token)
        continue
      }
      this.keys.set(`${route} ${key}`, { token, member, clink, until: this.#now() + length })
      granted.add(token)
    }
    for (const { count, ended, route, wanted, window } of rates) {
      const permits = this.#permits.get(route) ?? new Map<string, number>()
      this.#permits.set(route, permits)
      for (const [id, age] of Object.entries(ended))
        if (age === null) permits.delete(id)
        else permits.set(id, this.#now() - age)
      for (const [id, at] of permits) if (at < this.#now() - window) permits.delete(id)
      const waits = this.#waitsOf(route, window)
      const since = waits.get(member)?.since ?? this.#now()
      const before = [...waits].filter(([other, wait]) => {
        return other !== member && wait.since < Math.min(since, this.#now() - PATIENCE)
      }).length
      const given = wanted.slice(0, Math.max(0, count - permits.size - before))
      for (const id of given) {
        permits.set(id, this.#now() + PERMIT_LASTS)
        granted.add(id)
      }
      if (given.length > 0) waits.delete(member)
      else if (wanted.length > 0) waits.set(member, { since, seen: this.#now() })
      const wait = Math.min(...permits.values()) + window - this.#now()
      found.set(route, { wait, left: count - permits.size })
    }
    return { granted, holders, rates: found }
  }

  renew(member: string, rights: readonly KeyRight[], length: number): ReadonlySet<string> {
    const kept = rights.filter(({ key, route, token }) => this.keys.get(`${route} ${key}`)?.token === token)
    for (const { clink, key, route, token } of kept)
      this.keys.set(`${route} ${key}`, { token, member, clink, until: this.#now() + length })
    return new Set(kept.map(({ token }) => token))
  }

  /** When the permits of a route that it knows of have started something, or may at last. */
  startsOf(route: string): readonly number[] {
    return [...(this.#permits.get(route)?.values() ?? [])]
  }

  /** Who has a key goes on with another clink of it. */
  again(name: string): void {
    const held = this.keys.get(name)
    if (held !== undefined) this.keys.set(name, { ...held, token: `${held.token}+` })
  }

  #waitsOf(route: string, window: number): Map<string, { readonly since: number; readonly seen: number }> {
    const fresh = [...(this.#waits.get(route) ?? [])].filter(([, { seen }]) => {
      return seen > this.#now() - Math.max(2_000, window / 2)
    })
    const waits = new Map(fresh)
    this.#waits.set(route, waits)
    return waits
  }

  async #within<Answer>(act: () => Answer): Promise<Answer> {
    await this.#takes(1)
    if (this.isAway) throw new Error('it is away')
    this.asked += 1
    const answer = act()
    await this.#takes(1)
    return answer
  }
}
