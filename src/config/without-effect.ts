import { isDeepStrictEqual } from 'node:util'
import type { ConfigIssue } from './issue.ts'
import type { RawConfig } from './raw.ts'
import { configSchema, type ParsedConfig } from './schema.ts'

/** Warnings about keys that were set, and that this version checks and does not use. */
export function withoutEffect({ server }: ParsedConfig, raw: RawConfig): readonly ConfigIssue[] {
  return Object.entries(configSchema.shape.server.parse(undefined)).flatMap(([key, standard]) => {
    const path = ['server', key]
    const isStandard = isDeepStrictEqual(Reflect.get(server, key), standard)
    return raw.get(path) === undefined || isStandard ? [] : [raw.issue(path, 'has no effect in this version')]
  })
}
