import type { MatchRule, SenderRule } from '../config/config.ts'
import { globs, isGlob } from './globs.ts'

/** Whether the rule surely takes all that the other one takes. Of what cannot be told, such as two expressions that differ, it does not. */
export function covers(rule: MatchRule = {}, other: MatchRule = {}): boolean {
  return (
    coversTexts(rule.group, other.group) &&
    coversTexts(textsOf(rule.from), textsOf(other.from)) &&
    (rule.for !== 'me' || other.for === 'me') &&
    coversContent(rule.content, other.content)
  )
}

type Texts = string | readonly string[] | undefined

function coversTexts(texts: Texts, others: Texts): boolean {
  if (texts === undefined) return true
  if (others === undefined) return false
  const list = [texts].flat()
  return [others].flat().every((other) => list.includes(other) || (!isGlob(other) && globs(list)(other)))
}

/** A name is another thing than an id that reads the same. */
function textsOf(rules: SenderRule | readonly SenderRule[] | undefined): Texts {
  return rules && [rules].flat().map((rule) => (typeof rule === 'string' ? `id ${rule}` : `name ${rule.name}`))
}

function coversContent(content: MatchRule['content'], other: MatchRule['content']): boolean {
  if (content === undefined) return true
  if (other === undefined) return false
  if ('prefix' in content) return 'prefix' in other && other.prefix.startsWith(content.prefix)
  return !('prefix' in other) && expressionOf(content) === expressionOf(other)
}

function expressionOf(content: RegExp | { readonly regex: string }): string {
  return String(content instanceof RegExp ? content : new RegExp(content.regex))
}
