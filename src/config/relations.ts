import type { Path } from './issue.ts'
import { selectiveSetting } from './needs-select.ts'
import type { ParsedConfig } from './schema.ts'

export interface Problem {
  readonly path: Path
  readonly message: string
  /** The keys that do not fit each other. */
  readonly about: readonly Path[]
}

type Sections = Partial<ParsedConfig>

/** How keys must relate to each other. @param isShared the address of a shared store comes from elsewhere. */
export function relationProblems(
  { inbox, poll, claim, concurrency, retry, shutdown, routes, state }: Sections,
  isShared = false,
): readonly Problem[] {
  const problems: Problem[] = []
  const unless = (holds: boolean, path: Path, message: string, other = path): void => {
    if (!holds) problems.push({ path, message, about: [path, other] })
  }
  if (inbox?.claim === 'batch') {
    const needing = selectiveSetting(inbox)
    unless(
      needing === undefined,
      ['inbox', 'claim'],
      `cannot be batch with ${needing}: a claiming poll takes whatever comes`,
      ['inbox'],
    )
  }
  if (poll !== undefined)
    unless(poll.maxInterval >= poll.interval, ['poll', 'maxInterval'], 'is shorter than poll.interval', [
      'poll',
      'interval',
    ])
  if (claim !== undefined)
    unless(claim.maxHold >= claim.timeout, ['claim', 'maxHold'], 'is shorter than claim.timeout', ['claim', 'timeout'])
  if (retry !== undefined)
    unless(retry.maxBackoff >= retry.backoff, ['retry', 'maxBackoff'], 'is shorter than retry.backoff', [
      'retry',
      'backoff',
    ])
  if (shutdown !== undefined) {
    unless(
      shutdown.drain <= shutdown.timeout,
      ['shutdown', 'drain'],
      'is longer than shutdown.timeout, of which it is a part',
      ['shutdown', 'timeout'],
    )
  }
  problems.push(
    ...(routes ?? []).flatMap((route, index) => routeProblems(route, index, concurrency)),
    ...sameNames(routes ?? []),
    ...(isShared || state === undefined || isSharing(state) ? [] : (routes ?? []).flatMap(unshared)),
  )
  return problems
}

type ParsedRoute = ParsedConfig['routes'][number]

function routeProblems(
  { exec, http, passKey, retry, use, weight = 1 }: ParsedRoute,
  index: number,
  concurrency: number | undefined,
): readonly Problem[] {
  const at: Path = ['routes', index]
  const ways = [use, exec, http].filter((way) => way !== undefined).length
  const foreign = http === undefined ? undefined : foreignHost(http)
  const { backoff, maxBackoff } = retry ?? {}
  const of = (...keys: readonly string[]): readonly Path[] => keys.map((key) => [...at, key])
  const rules: readonly (readonly [holds: boolean, path: Path, message: string, about?: readonly Path[]])[] = [
    [
      ways > 0,
      at,
      'does not say what runs it; write use: ./handlers/file.ts, exec: [program], or http: address',
      of('use', 'exec', 'http'),
    ],
    [ways < 2, at, 'has more than one of use, exec and http', of('use', 'exec', 'http')],
    [
      weight <= (concurrency ?? weight),
      [...at, 'weight'],
      'is more than concurrency: it could never run',
      [...of('weight'), ['concurrency']],
    ],
    [
      foreign === undefined,
      [...at, 'http'],
      `is the address of another machine; if that is meant, write http: { url: …, allowHosts: [${foreign}] }`,
    ],
    [
      http === undefined || passKey !== true,
      [...at, 'passKey'],
      'cannot be true with http: the key is sent to nobody',
      of('passKey', 'http'),
    ],
    [
      (maxBackoff ?? Infinity) >= (backoff ?? 0),
      [...at, 'retry', 'maxBackoff'],
      'is shorter than backoff',
      of('retry'),
    ],
  ]
  return rules.flatMap(([holds, path, message, about = [path]]) => (holds ? [] : [{ path, message, about }]))
}

function sameNames(routes: readonly ParsedRoute[]): readonly Problem[] {
  const names = new Map<string, number>()
  return routes.flatMap(({ name }, index) => {
    const other = name === undefined ? undefined : names.get(name)
    if (name !== undefined) names.set(name, index)
    const path: Path = ['routes', index, 'name']
    const message = `is also the name of routes[${other}]`
    return other === undefined ? [] : [{ path, message, about: [path] }]
  })
}

/** Whether the configuration says where several workers remember together. */
export function isSharing({ url, urlFile }: { readonly url: unknown; readonly urlFile: unknown }): boolean {
  return url !== null || urlFile !== null
}

export const UNSHARED = 'needs state.url: workers that share no store have no limit together'

/** Limits of a fleet where there is none. */
function unshared({ rate, serial }: ParsedRoute, index: number): readonly Problem[] {
  const isFleet = { rate: rate?.scope === 'fleet', serial: typeof serial === 'object' }
  return (['rate', 'serial'] as const).flatMap((limit) => {
    const path: Path = ['routes', index, limit, 'scope']
    const about: readonly Path[] = [path, ['state', 'url'], ['state', 'urlFile']]
    return isFleet[limit] ? [{ path, message: UNSHARED, about }] : []
  })
}

/** The host of an application that is not on this machine, and that nobody has allowed. */
function foreignHost(http: NonNullable<ParsedRoute['http']>): string | undefined {
  const { allowHosts = [], url } = typeof http === 'string' ? { url: http } : http
  const { hostname } = new URL(url)
  const isLoopback = /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1])$/.test(hostname)
  return isLoopback || allowHosts.includes(hostname) ? undefined : hostname
}
