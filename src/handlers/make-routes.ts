import { isAbsolute } from 'node:path'
import type { Config, ExecConfig, HttpConfig, Place, RouteConfig } from '../config/config.ts'
import { UNSHARED } from '../config/relations.ts'
import { covers } from './covers.ts'
import type { LoadedDefinition, Rules } from './definition.ts'
import type { HandlerIssue } from './handler-error.ts'
import type { RouteEntry } from './handler-set.ts'
import { compileMatch, takesAll } from './match.ts'
import { Patterns } from './patterns.ts'
import type { Limits, Route, Target } from './route.ts'
import { idPatterns } from './sender-match.ts'

/** A handler file that was loaded. */
export interface LoadedHandler {
  /** Absolute path. */
  readonly path: string
  /** As people write it. */
  readonly file: string
  /** The file's name without its ending. */
  readonly name: string
  readonly definition: LoadedDefinition
  /** How a thread loads it; undefined: it is built in, and runs in this process. */
  readonly inThread?: Extract<Target, { is: 'thread' }>
}

/**
 * The routes in the order in which they are tried: the configuration's, then the handlers' own in the order of their names,
 * then the one handler without a match. A handler that the configuration names has only that route.
 */
export function makeRoutes(
  handlers: readonly LoadedHandler[],
  config: Pick<Config, 'concurrency' | 'routes'> & Partial<Pick<Config, 'state'>>,
  generation: number,
  shown: Shown = String,
) {
  const made = { generation, patterns: new Patterns(), shown }
  const make = (handler: LoadedHandler, route?: RouteConfig): RouteEntry =>
    makeEntry(moduleOf(handler, route), made, route)
  const used = new Set(config.routes.map(({ use }) => use))
  const free = handlers.filter(({ path }) => !used.has(path))
  const catchAlls = free.filter(({ definition }) => definition.match === undefined)
  const entries = [
    ...config.routes.flatMap((route) => {
      if (route.exec !== undefined) return [makeEntry(programOf(route.exec), made, route)]
      if (route.http !== undefined) return [makeEntry(applicationOf(route.http), made, route)]
      const handler = handlers.find(({ path }) => path === route.use)
      return handler === undefined ? [] : [make(handler, route)]
    }),
    ...free.filter(({ definition }) => definition.match !== undefined).map((handler) => make(handler)),
    ...catchAlls.map((handler) => make(handler)),
  ]
  const issues = [
    ...tooManyCatchAlls(catchAlls),
    ...sameNames(entries),
    ...tooHeavy(entries, config),
    ...unshared(entries, config),
  ]
  return { entries, issues, warnings: unreachable(entries) }
}

/** What a route runs, and what that says about its route. */
interface Entered extends Pick<LoadedHandler, 'file' | 'name'> {
  readonly definition: Rules
  readonly target: Target
}

function moduleOf({ definition, file, inThread, name }: LoadedHandler, own?: RouteConfig): Entered {
  const entered = { file, name, definition }
  if (inThread !== undefined && (own?.runner ?? definition.runner) === 'thread') return { ...entered, target: inThread }
  const { handle } = definition
  if (handle === undefined) throw new Error(`${file} was loaded for threads only`)
  return { ...entered, target: { is: 'module', handle } }
}

function makeEntry(
  { definition, file, name, target }: Entered,
  { generation, patterns, shown }: { readonly generation: number; readonly patterns: Patterns; readonly shown: Shown },
  own?: RouteConfig,
): RouteEntry {
  const match = own?.match ?? definition.match
  const routeName = own?.name ?? name
  return {
    matcher: compileMatch(match, patterns),
    takesAll: takesAll(match),
    rule: match ?? {},
    place: own?.place === undefined ? file : placeText(own.place, shown),
    idPatterns: idPatterns(`match.from of the route ${routeName}`, match?.from),
    route: Object.freeze<Route>({
      name: routeName,
      file,
      generation,
      target,
      with: own?.with ?? {},
      mark: own?.mark ?? definition.mark ?? 'auto',
      timeout: own?.timeout ?? definition.timeout,
      limits: limitsOf(definition, own),
      idle: own?.idle ?? definition.idle,
      renewFirst: own?.renewFirst ?? definition.renewFirst ?? false,
      passKey: own?.passKey ?? definition.passKey ?? false,
      retry: Object.freeze({ ...definition.retry, ...own?.retry }),
    }),
  }
}

/** Of the command only the program is shown: an argument may be a secret. */
function programOf({ command, cwd, env, maxOutput, output, written }: ExecConfig): Entered {
  return {
    file: written,
    name: written,
    definition: {},
    target: { is: 'program', command, cwd, env, output, maxOutput },
  }
}

function applicationOf({ connectTimeout, maxResponse, secret, url }: HttpConfig): Entered {
  return {
    file: url,
    name: url,
    definition: {},
    target: { is: 'url', url, secretFile: secret?.file, connectTimeout, maxResponse },
  }
}

function limitsOf(definition: Entered['definition'], own: RouteConfig | undefined): Limits | undefined {
  const concurrency = own?.concurrency ?? definition.concurrency
  const rate = own?.rate ?? definition.rate
  const scoped = own?.serial ?? definition.serial
  const serial = typeof scoped === 'object' ? scoped.by : scoped
  const serialScope = typeof scoped === 'object' ? scoped.scope : undefined
  const weight = own?.weight ?? definition.weight ?? 1
  const hasLimits = concurrency !== undefined || rate !== undefined || serial !== undefined || weight > 1
  const limits = { concurrency, rate, serial, weight, ...(serialScope && { serialScope }) }
  return hasLimits ? Object.freeze(limits) : undefined
}

function tooHeavy(
  entries: readonly RouteEntry[],
  { concurrency }: Pick<Config, 'concurrency'>,
): readonly HandlerIssue[] {
  return entries
    .map(({ route }) => ({ file: route.file, weight: route.limits?.weight ?? 1 }))
    .filter(({ weight }) => weight > concurrency)
    .map(({ file, weight }) => ({ file, message: `weight: ${weight} is more than concurrency (${concurrency})` }))
}

/** Limits of a fleet, of handlers whose worker shares no store. */
function unshared(entries: readonly RouteEntry[], { state }: Partial<Pick<Config, 'state'>>): readonly HandlerIssue[] {
  if (state?.isShared !== false) return []
  return entries.flatMap(({ route: { file, limits } }) => [
    ...(limits?.rate?.scope === 'fleet' ? [{ file, message: `rate.scope: "fleet" ${UNSHARED}` }] : []),
    ...(limits?.serialScope === 'fleet' ? [{ file, message: `serial.scope: "fleet" ${UNSHARED}` }] : []),
  ])
}

function tooManyCatchAlls(handlers: readonly LoadedHandler[]): readonly HandlerIssue[] {
  const [first, ...others] = handlers
  if (first === undefined) return []
  return others.map(({ file }) => ({
    file,
    message: `has no match, and neither has ${first.file}: only one handler can take what no other takes; give one a match`,
  }))
}

function sameNames(entries: readonly RouteEntry[]): readonly HandlerIssue[] {
  const seen = new Map<string, string>()
  return entries.flatMap(({ route: { name, file } }) => {
    const other = seen.get(name)
    seen.set(name, file)
    return other === undefined
      ? []
      : [{ file, message: `its route is called ${name}, as that of ${other}; rename one` }]
  })
}

/** Routes that can take nothing, since one before each takes all that it would. */
function unreachable(entries: readonly RouteEntry[]): readonly HandlerIssue[] {
  return entries.flatMap(({ place, route, rule }, index) => {
    const first = entries.slice(0, index).find((other) => covers(other.rule, rule))
    if (first === undefined) return []
    const other = `the route ${first.route.name} (${first.place})`
    const message = `the route ${route.name} can take nothing: ${other} is tried first and takes all that it would`
    return [{ file: place, message: `${message}; narrow that one, or change their order` }]
  })
}

/** As people write it. */
export type Shown = (path: string) => string

export function placeText({ line, where }: Omit<Place, 'key'>, shown: Shown): string {
  const file = isAbsolute(where) ? shown(where) : where
  return line === undefined ? file : `${file}:${line}`
}
