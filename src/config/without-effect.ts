import type { ConfigIssue } from './issue.ts'
import type { RawConfig } from './raw.ts'
import type { ParsedConfig } from './schema.ts'

/** Warnings about keys that were set, and that this version checks and does not use. */
export function withoutEffect({ server }: ParsedConfig, raw: RawConfig): readonly ConfigIssue[] {
  return server.tokenFile === null ? [] : [raw.issue(['server', 'tokenFile'], 'has no effect in this version')]
}
