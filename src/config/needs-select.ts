import type { Config } from './config.ts'

type InboxSettings = Pick<Config['inbox'], 'groups' | 'ignore' | 'for' | 'maxAge' | 'loopLimit'>

/** The setting that a claiming poll, which takes whatever comes, cannot keep; undefined: there is none. */
export function selectiveSetting({
  groups,
  ignore,
  for: recipient,
  loopLimit,
  maxAge,
}: InboxSettings): string | undefined {
  if (groups.length > 0) return 'inbox.groups'
  if (ignore.length > 0) return 'inbox.ignore'
  if (recipient === 'me') return 'inbox.for: me'
  if (loopLimit !== null) return 'inbox.loopLimit'
  return maxAge === null ? undefined : 'inbox.maxAge'
}
