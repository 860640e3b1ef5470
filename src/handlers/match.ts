import type { Clink } from '../clink/records.ts'
import type { MatchRule } from '../config/config.ts'
import { boundedMatch, type Find } from './bounded-match.ts'
import type { Matched } from './content-match.ts'
import { globs } from './globs.ts'
import type { Patterns } from './patterns.ts'
import { listText, senderText } from './rule-text.ts'
import { senderMatcher } from './sender-match.ts'

/** What fits, or why nobody can tell; a promise only where a pattern has to be tried that may run away. */
export type Matcher = (clink: Clink, identity: string | undefined) => ReturnType<Find>

const NOTHING: Matched = { text: '', groups: {} }

/** A part of a rule that does not look at the text. */
export interface Condition {
  readonly holds: (clink: Clink, identity: string | undefined) => boolean
  /** What is wrong with a clink of which it does not hold, for people. */
  readonly unmet: string
}

export function conditionsOf({ group, from, for: addressee }: MatchRule = {}): readonly Condition[] {
  const conditions: Condition[] = []
  if (group !== undefined) {
    const isGroup = globs(group)
    const holds = ({ group_id, group_slug }: Clink): boolean => isGroup(group_id, group_slug)
    conditions.push({ holds, unmet: `its group is not ${listText(group)}` })
  }
  if (from !== undefined)
    conditions.push({ holds: senderMatcher(from), unmet: `its sender is not ${senderText(from)}` })
  if (addressee === 'me') {
    const holds = (clink: Clink, identity: string | undefined): boolean =>
      identity !== undefined && clink.for === identity
    conditions.push({ holds, unmet: 'it is not for us, as far as is known' })
  }
  return conditions
}

/** A rule as a function. A rule that is left out takes everything. @param patterns where patterns are tried that may run away. */
export function compileMatch(rule: MatchRule = {}, patterns: Patterns): Matcher {
  const conditions = conditionsOf(rule)
  const find = rule.content === undefined ? () => NOTHING : contentFinder(rule.content, patterns)
  return (clink, identity) =>
    conditions.every(({ holds }) => holds(clink, identity)) ? find(clink.content) : undefined
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
