import { PERMIT_LASTS, type LimitsAnswer, type LimitStore } from '../../src/ledger/fleet-limits.ts'

/** Where nothing is the fleet's. */
export const noLimits: LimitStore = {
  ask: async () => await Promise.reject(new Error('no limit here is of a fleet')),
  renew: async () => await Promise.reject(new Error('no limit here is of a fleet')),
}

interface Held {
  readonly token: string
  readonly member: string
  readonly clink: string
  readonly until: number
}

/** What a store does about limits, without its order of who waits: for members on one time. */
export class MemoryLimits {
  readonly keys = new Map<string, Held>()
  /** For which somebody has waited, and waits no more. */
  readonly left: string[] = []
  readonly #permits = new Map<string, Map<string, number>>()
  readonly #now: () => number
  /** So many statements were carried out. */
  asked = 0
  /** Nobody reaches it. */
  isAway = false
  /** Milliseconds that an answer takes. */
  readonly #takes: (ms: number) => Promise<void>

  constructor(now: () => number, takes: (ms: number) => Promise<void>) {
    this.#now = now
    this.#takes = takes
  }

  for(member: string): LimitStore {
    return {
      ask: async ({ freed, keys, rates }, length) => {
        await this.#come()
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
          for (const id of wanted.slice(0, Math.max(0, count - permits.size))) {
            permits.set(id, this.#now() + PERMIT_LASTS)
            granted.add(id)
          }
          const wait = Math.min(...permits.values()) + window - this.#now()
          found.set(route, { wait, left: count - permits.size })
        }
        await this.#takes(1)
        return { granted, holders, rates: found } satisfies LimitsAnswer
      },
      renew: async (rights, length) => {
        await this.#come()
        const kept = rights.filter(({ key, route, token }) => this.keys.get(`${route} ${key}`)?.token === token)
        for (const { clink, key, route, token } of kept)
          this.keys.set(`${route} ${key}`, { token, member, clink, until: this.#now() + length })
        await this.#takes(1)
        return new Set(kept.map(({ token }) => token))
      },
    }
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

  async #come(): Promise<void> {
    await this.#takes(1)
    if (this.isAway) throw new Error('it is away')
    this.asked += 1
  }
}
