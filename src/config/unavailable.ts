import { isDeepStrictEqual } from 'node:util'
import { dotted, type ConfigIssue, type Path } from './issue.ts'
import type { RawConfig } from './raw.ts'
import { configSchema, type ParsedConfig } from './schema.ts'

const SELECT =
  'needs the claiming mode select, which this version does not have yet; nothing may claim what it will not run'

/** Keys of which this version knows the meaning but cannot do it. Taking them in silence would be a lie. */
export function unavailable(
  { inbox, handlers, routes }: Partial<ParsedConfig>,
  raw: RawConfig,
): readonly ConfigIssue[] {
  const issues: ConfigIssue[] = []
  const refuse = (used: boolean, path: Path, message: string): void => {
    if (used) issues.push(raw.issue(path, message))
  }
  if (inbox !== undefined) {
    refuse(inbox.groups.length > 0, ['inbox', 'groups'], SELECT)
    refuse(inbox.ignore.length > 0, ['inbox', 'ignore'], SELECT)
    refuse(inbox.for === 'me', ['inbox', 'for'], SELECT)
    refuse(inbox.maxAge !== null, ['inbox', 'maxAge'], SELECT)
    refuse(inbox.claim === 'select', ['inbox', 'claim'], 'is not available in this version; write auto or batch')
  }
  const threads = 'is not available in this version; write inline'
  refuse(handlers?.runner === 'thread', ['handlers', 'runner'], threads)
  for (const [index, route] of (routes ?? []).entries()) {
    refuse(route.runner === 'thread', ['routes', index, 'runner'], threads)
    for (const key of ['exec', 'http', 'concurrency', 'rate', 'serial', 'cwd', 'env', 'output'] as const) {
      refuse(route[key] !== undefined, ['routes', index, key], `(${key} of a route) is not available in this version`)
    }
  }
  return issues
}

const WITHOUT_EFFECT: readonly (readonly [keyof ParsedConfig, string])[] = [
  ...Object.keys(configSchema.shape.server.unwrap().shape).map((key) => ['server', key] as const),
  ...Object.keys(configSchema.shape.state.unwrap().shape).map((key) => ['state', key] as const),
  ['poll', 'sweep'],
  ['claim', 'exclusive'],
  ['retry', 'crashes'],
]

/** Warnings about keys that were set, and that this version checks and does not use. */
export function withoutEffect(parsed: ParsedConfig, raw: RawConfig): readonly ConfigIssue[] {
  return WITHOUT_EFFECT.flatMap(([section, key]) => {
    const path = [section, key]
    const standard = Reflect.get(Object(configSchema.shape[section].parse(undefined)), key)
    const isStandard = isDeepStrictEqual(Reflect.get(Object(parsed[section]), key), standard)
    const isGiven = raw.get(path) !== undefined && raw.placeOf(path).where !== 'environment STATE_DIRECTORY'
    return isGiven && !isStandard ? [raw.issue(path, `has no effect in this version (${dotted(path)})`)] : []
  })
}
