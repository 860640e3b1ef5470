import { Recent } from '../base/recent.ts'
import { isGroupId } from '../clink/group-id.ts'
import type { Clink } from '../clink/records.ts'
import type { MatchRule } from '../config/config.ts'
import type { ContentFault, Matched } from './content-match.ts'
import type { FilesRead } from './files-read.ts'
import { formatHandlerIssue, type HandlerIssue } from './handler-error.ts'
import { conditionsOf, type Matcher } from './match.ts'
import type { Route, RoutedClink, Router, Routing, Target } from './route.ts'
import { contentText, limitsText, ruleText } from './rule-text.ts'
import type { IdPattern } from './sender-match.ts'

export interface RouteEntry {
  readonly route: Route
  readonly matcher: Matcher
  readonly takesAll: boolean
  /** What it looks at as senders' ids. */
  readonly idPatterns: readonly IdPattern[]
  readonly rule: MatchRule
  /** Where it was written, for people: `clink-worker.yaml:12`, or its handler's file. */
  readonly place: string
}

/** A route in words. */
export interface DescribedRoute {
  readonly route: Route
  readonly match: string
  /** Which groups it is for; undefined: any. */
  readonly groups: string | readonly string[] | undefined
  readonly runs: string
  readonly limits: string
  readonly place: string
}

const RUNS: Readonly<Record<Target['is'], string>> = { module: '', program: 'exec ', thread: 'thread ', url: 'http ' }

const REMEMBERED = 1_000

/** All handlers of one loading, with the routes to them. It never changes: a reload makes a new one. */
export class HandlerSet implements Router {
  readonly generation: number
  /** Handler files and all that they import, packages left out: what a watch looks at. */
  readonly files: FilesRead
  readonly #entries: readonly RouteEntry[]
  /** Clinks for which a pattern took too long. */
  readonly #late = new Recent<RoutedClink>(REMEMBERED)

  /** What is not wrong, but surely not meant: one line each. */
  readonly warnings: readonly string[]

  constructor(
    generation: number,
    entries: readonly RouteEntry[],
    files: FilesRead,
    warnings: readonly HandlerIssue[] = [],
  ) {
    this.generation = generation
    this.files = files
    this.#entries = entries
    this.warnings = warnings.map(formatHandlerIssue)
  }

  get described(): readonly DescribedRoute[] {
    return this.#entries.map(({ place, route, rule }) => {
      const runs = `${RUNS[route.target.is]}${route.file}`
      return { route, match: ruleText(rule), groups: rule.group, runs, limits: limitsText(route.limits), place }
    })
  }

  /** Why each route before the one that takes the clink does not; all of them where none does. */
  async passed(clink: Clink, identity: string | undefined): Promise<readonly string[]> {
    const passed: string[] = []
    for (const { matcher, route, rule } of this.#entries) {
      const unmet = conditionsOf(rule).find(({ holds }) => !holds(clink, identity))
      if (unmet === undefined && (await matcher(clink, identity)) !== undefined) break
      const why = unmet?.unmet ?? `its text does not fit ${contentText(rule.content)}`
      passed.push(`not ${route.name}: ${why}`)
    }
    return passed
  }

  /** In the order in which they are tried. */
  get routes(): readonly Route[] {
    return this.#entries.map(({ route }) => route)
  }

  get idPatterns(): readonly IdPattern[] {
    return this.#entries.flatMap(({ idPatterns }) => idPatterns)
  }

  get namesGroups(): boolean {
    return this.#entries.some(({ rule }) => [rule.group ?? []].flat().some((group) => !isGroupId(group)))
  }

  get takesAll(): boolean {
    return this.#entries.some(({ takesAll }) => takesAll)
  }

  find(clink: Clink, identity: string | undefined): Routing {
    return this.#late.get(clink.clink_id) ?? this.#findFrom(0, clink, identity)
  }

  #findFrom(first: number, clink: Clink, identity: string | undefined): Routing {
    for (let index = first; index < this.#entries.length; index += 1) {
      const entry = this.#entries[index]
      const found = entry?.matcher(clink, identity)
      if (entry === undefined || found === undefined) continue
      if (!(found instanceof Promise)) return this.#take(clink, entry.route, found)
      return found.then((late) =>
        late === undefined ? this.#findFrom(index + 1, clink, identity) : this.#take(clink, entry.route, late),
      )
    }
    return undefined
  }

  /** A pattern that takes too long costs its time once, though lists may show the clink again before it is a dead letter. */
  #take({ clink_id: id }: Clink, route: Route, found: Matched | ContentFault): RoutedClink {
    if (!('fault' in found)) return { route, match: { route: route.name, ...found } }
    const fault = `${found.fault}: the pattern of the route ${route.name} ${found.detail}`
    const routed = { route, match: { route: route.name, text: '', groups: {} }, fault }
    this.#late.set(id, routed)
    return routed
  }
}
