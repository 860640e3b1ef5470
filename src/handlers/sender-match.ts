import type { Clink } from '../clink/records.ts'
import type { SenderRule } from '../config/config.ts'
import { globs } from './globs.ts'

type Sender = Pick<Clink, 'sender_id' | 'sender_name'>

/**
 * Makes a test for senders. A rule compares the id; it compares the display name only if it says so, since anyone may
 * take any name.
 */
export function senderMatcher(rules: SenderRule | readonly SenderRule[]): (sender: Sender) => boolean {
  const list = [rules].flat()
  const isId = globs(list.filter((rule) => typeof rule === 'string'))
  const isName = globs(list.flatMap((rule) => (typeof rule === 'string' ? [] : [rule.name])))
  return ({ sender_id, sender_name }) => isId(sender_id) || isName(sender_name)
}

/** A rule of a setting that is looked at as an id. */
export interface IdPattern {
  /** As people write it: `match.from of the route deploy`. */
  readonly setting: string
  readonly pattern: string
  readonly fits: (text: string) => boolean
}

export function idPatterns(setting: string, rules: SenderRule | readonly SenderRule[] = []): readonly IdPattern[] {
  return [rules]
    .flat()
    .flatMap((rule) => (typeof rule === 'string' ? [{ setting, pattern: rule, fits: globs(rule) }] : []))
}
