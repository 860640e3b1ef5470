import type { Clink } from '../clink/records.ts'
import type { MatchRule } from '../config/config.ts'
import { boundedMatch, type Find } from './bounded-match.ts'
import type { Matched } from './content-match.ts'
import { globs } from './globs.ts'
import type { Patterns } from './patterns.ts'
import { senderMatcher } from './sender-match.ts'

/** What fits, or why nobody can tell; a promise only where a pattern has to be tried that may run away. */
export type Matcher = (clink: Clink, identity: string | undefined) => ReturnType<Find>

const NOTHING: Matched = { text: '', groups: {} }

/** A rule as a function. A rule that is left out takes everything. @param patterns where patterns are tried that may run away. */
export function compileMatch({ group, from, for: addressee, content }: MatchRule = {}, patterns: Patterns): Matcher {
  const isGroup = group === undefined ? undefined : globs(group)
  const isSender = from === undefined ? undefined : senderMatcher(from)
  const find = content === undefined ? () => NOTHING : contentFinder(content, patterns)
  return (clink, identity) => {
    if (isGroup !== undefined && !isGroup(clink.group_id, clink.group_slug)) return undefined
    if (isSender !== undefined && !isSender(clink)) return undefined
    if (addressee === 'me' && (identity === undefined || clink.for !== identity)) return undefined
    return find(clink.content)
  }
}

/** Whether a rule is one that takes everything. */
export function takesAll(rule: MatchRule | undefined): boolean {
  const { group, from, for: addressee, content } = rule ?? {}
  return group === undefined && from === undefined && addressee !== 'me' && content === undefined
}

function contentFinder(content: NonNullable<MatchRule['content']>, patterns: Patterns): Find {
  if ('prefix' in content) {
    const { prefix } = content
    return (text) => (text.startsWith(prefix) ? { text: prefix, groups: {} } : undefined)
  }
  return boundedMatch(content instanceof RegExp ? content : new RegExp(content.regex), patterns)
}
