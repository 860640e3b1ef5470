import type { Config } from './config.ts'

type InboxSettings = Pick<Config['inbox'], 'groups' | 'ignore' | 'for' | 'maxAge' | 'loopLimit'>

/** The setting that a claiming poll, which takes whatever comes, cannot keep; undefined: there is none. */
export function selectiveSetting(inbox: InboxSettings): string | undefined {
  if (inbox.groups.length > 0) return 'inbox.groups'
  if (inbox.ignore.length > 0) return 'inbox.ignore'
  if (inbox.for === 'me') return 'inbox.for: me'
  if (inbox.loopLimit !== null) return 'inbox.loopLimit'
  return inbox.maxAge === null ? undefined : 'inbox.maxAge'
}
