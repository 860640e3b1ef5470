import { isDeepStrictEqual } from 'node:util'
import type { ConfigIssue, Path } from './issue.ts'
import type { RawConfig } from './raw.ts'
import { configSchema, type ParsedConfig } from './schema.ts'

const THREADS = 'is not available in this version; write inline'
const ROUTE_KEYS = ['http']

/**
 * Keys of which this version knows the meaning but cannot do it: taking them in silence would be a lie. Looks at what was
 * written, so that a mistake beside such a key does not hide it.
 */
export function unavailable(raw: RawConfig): readonly ConfigIssue[] {
  const issues: ConfigIssue[] = []
  const refuse = (path: Path, message: string, isAsked = (_value: unknown): boolean => true): void => {
    const value = raw.get(path)
    if (value !== undefined && value !== null && isAsked(value)) issues.push(raw.issue(path, message))
  }
  refuse(['handlers', 'runner'], THREADS, (value) => value === 'thread')
  const routes = raw.get(['routes'])
  for (const index of Array.isArray(routes) ? routes.keys() : []) {
    refuse(['routes', index, 'runner'], THREADS, (value) => value === 'thread')
    for (const key of ROUTE_KEYS) refuse(['routes', index, key], 'is not available in this version')
  }
  return issues
}

/** Warnings about keys that were set, and that this version checks and does not use. */
export function withoutEffect({ server }: ParsedConfig, raw: RawConfig): readonly ConfigIssue[] {
  return Object.entries(configSchema.shape.server.parse(undefined)).flatMap(([key, standard]) => {
    const path = ['server', key]
    const isStandard = isDeepStrictEqual(Reflect.get(server, key), standard)
    return raw.get(path) === undefined || isStandard ? [] : [raw.issue(path, 'has no effect in this version')]
  })
}
