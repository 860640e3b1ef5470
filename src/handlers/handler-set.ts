import { Recent } from '../base/recent.ts'
import type { Clink } from '../clink/records.ts'
import type { Matcher } from './match.ts'
import type { IdPattern } from './sender-match.ts'
import type { Route, RoutedClink, Router } from './route.ts'

export interface RouteEntry {
  readonly route: Route
  readonly matcher: Matcher
  readonly takesAll: boolean
  /** What it looks at as senders' ids. */
  readonly idPatterns: readonly IdPattern[]
}

const REMEMBERED = 1_000

/** All handlers of one loading, with the routes to them. It never changes: a reload makes a new one. */
export class HandlerSet implements Router {
  readonly generation: number
  /** Absolute paths of handler files and of all that they import, packages left out: what a watch looks at. */
  readonly files: readonly string[]
  readonly #entries: readonly RouteEntry[]
  /** Clinks for which a pattern took too long. */
  readonly #late = new Recent<RoutedClink>(REMEMBERED)

  constructor(generation: number, entries: readonly RouteEntry[], files: readonly string[]) {
    this.generation = generation
    this.files = files
    this.#entries = entries
  }

  /** In the order in which they are tried. */
  get routes(): readonly Route[] {
    return this.#entries.map(({ route }) => route)
  }

  get idPatterns(): readonly IdPattern[] {
    return this.#entries.flatMap(({ idPatterns }) => idPatterns)
  }

  get takesAll(): boolean {
    return this.#entries.some(({ takesAll }) => takesAll)
  }

  route(clink: Clink, identity: string | undefined): RoutedClink | undefined {
    const known = this.#late.get(clink.clink_id)
    if (known !== undefined) return known
    for (const { route, matcher } of this.#entries) {
      const found = matcher(clink, identity)
      if (found === 'timeout') return this.#giveUp(clink, route)
      if (found !== undefined) return { route, match: { route: route.name, ...found } }
    }
    return undefined
  }

  /** A list may show it again before it is a dead letter: it costs its time once. */
  #giveUp({ clink_id: id }: Clink, route: Route): RoutedClink {
    const fault = `match-timeout: the pattern of the route ${route.name} takes too long for this text`
    const routed = { route, match: { route: route.name, text: '', groups: {} }, fault }
    this.#late.set(id, routed)
    return routed
  }
}
