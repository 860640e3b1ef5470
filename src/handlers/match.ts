import type { Clink } from '../clink/records.ts'
import type { MatchRule } from '../config/config.ts'
import { boundedMatch } from './bounded-match.ts'
import { globs } from './globs.ts'
import type { RouteMatch } from './handler.ts'
import { senderMatcher } from './sender-match.ts'

type Found = Omit<RouteMatch, 'route'>
/** `timeout`: it takes too long to find out whether the clink fits. */
export type Matcher = (clink: Clink, identity: string | undefined) => Found | 'timeout' | undefined

const NOTHING: Found = { text: '', groups: {} }

/** A rule as a function. A rule that is left out takes everything. */
export function compileMatch({ group, from, for: addressee, content }: MatchRule = {}): Matcher {
  const isGroup = group === undefined ? undefined : globs(group)
  const isSender = from === undefined ? undefined : senderMatcher(from)
  const find = content === undefined ? () => NOTHING : contentFinder(content)
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

function contentFinder(content: NonNullable<MatchRule['content']>): (text: string) => ReturnType<Matcher> {
  if ('prefix' in content) {
    const { prefix } = content
    return (text) => (text.startsWith(prefix) ? { text: prefix, groups: {} } : undefined)
  }
  const find = boundedMatch(content instanceof RegExp ? content : new RegExp(content.regex))
  return (text) => {
    const found = find(text)
    if (found === null) return undefined
    if (found === 'timeout') return 'timeout'
    const groups = Object.entries(found.groups ?? {}).filter(([, value]) => value !== undefined)
    return { text: found[0], groups: Object.fromEntries(groups) }
  }
}
