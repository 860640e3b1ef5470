/** The right to be the only one that works clinks of a key, as its store knows it. */
export interface KeyRight {
  readonly route: string
  /** Of a sender or a group. */
  readonly key: string
  /** Another one each time. */
  readonly token: string
  /** For which it was taken: the next process of the same member goes on with that one. */
  readonly clink: string
}

/** What is asked for one route with a rate. */
export interface RateWish {
  readonly route: string
  readonly count: number
  /** Milliseconds. */
  readonly window: number
  /** New permits, by ids that nobody else has. */
  readonly wanted: readonly string[]
  /** Permits that are used up, by their ids: milliseconds since the start, or null where there was none. */
  readonly ended: Readonly<Record<string, number | null>>
}

/** All that a member asks for in one turn, and what it gives back. */
export interface LimitsWish {
  readonly keys: readonly KeyRight[]
  /** Nor does this member wait for them any more. */
  readonly freed: readonly Omit<KeyRight, 'clink'>[]
  readonly rates: readonly RateWish[]
}

export interface LimitsAnswer {
  /** Tokens of the keys, and ids of the permits, that are this member's now. */
  readonly granted: ReadonlySet<string>
  /** By tokens of keys that were asked for and not given: the tokens of those who have them. Empty: somebody else has waited for longer. */
  readonly holders: ReadonlyMap<string, string>
  /** By routes: milliseconds until there may be more permits, and how many are left. Those were not given to a member before which others have waited. */
  readonly rates: ReadonlyMap<string, { readonly wait: number; readonly left: number }>
}

/** Milliseconds after it was taken within which a permit starts something, or nothing any more. */
export const PERMIT_LASTS = 5_000

/** Keys and permits that the members of a fleet share. Each call is one round trip, and rejects where the store is away. */
export interface LimitStore {
  /** @param length milliseconds that keys are taken for. */
  ask(wish: LimitsWish, length: number): Promise<LimitsAnswer>
  /** @returns tokens of those that are still this member's. */
  renew(rights: readonly KeyRight[], length: number): Promise<ReadonlySet<string>>
}
