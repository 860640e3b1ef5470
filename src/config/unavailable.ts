import { isDeepStrictEqual } from 'node:util'
import type { ConfigIssue, Path } from './issue.ts'
import type { RawConfig } from './raw.ts'
import { configSchema, type ParsedConfig } from './schema.ts'

const THREADS = 'is not available in this version; write inline'
const ROUTE_KEYS = ['exec', 'http', 'concurrency', 'rate', 'serial', 'cwd', 'env', 'output']

/**
 * Keys of which this version knows the meaning but cannot do it: taking them in silence would be a lie. Looks at what was
 * written, so that a mistake beside such a key does not hide it.
 */
export function unavailable(raw: RawConfig): readonly ConfigIssue[] {
  const issues: ConfigIssue[] = []
  const refuse = (path: Path, message: string, isAsked: (value: unknown) => boolean): void => {
    const value = raw.get(path)
    if (value !== undefined && value !== null && isAsked(value)) issues.push(raw.issue(path, message))
  }
  const isAny = (): boolean => true
  refuse(['handlers', 'runner'], THREADS, (value) => value === 'thread')
  const routes = raw.get(['routes'])
  for (const index of Array.isArray(routes) ? routes.keys() : []) {
    refuse(['routes', index, 'runner'], THREADS, (value) => value === 'thread')
    for (const key of ROUTE_KEYS) {
      refuse(['routes', index, key], 'is not available in this version', isAny)
    }
  }
  return issues
}

const WITHOUT_EFFECT: readonly (readonly [keyof ParsedConfig, string])[] = Object.keys(
  configSchema.shape.server.unwrap().shape,
).map((key) => ['server', key] as const)

/** Warnings about keys that were set, and that this version checks and does not use. */
export function withoutEffect(parsed: ParsedConfig, raw: RawConfig): readonly ConfigIssue[] {
  return WITHOUT_EFFECT.flatMap(([section, key]) => {
    const path = [section, key]
    const standard = Reflect.get(Object(configSchema.shape[section].parse(undefined)), key)
    const isStandard = isDeepStrictEqual(Reflect.get(Object(parsed[section]), key), standard)
    const isGiven = raw.get(path) !== undefined && raw.placeOf(path).where !== 'environment STATE_DIRECTORY'
    return isGiven && !isStandard ? [raw.issue(path, 'has no effect in this version')] : []
  })
}
