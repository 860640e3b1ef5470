import { formatDuration } from '../base/duration.ts'
import type { MatchRule, SenderRule } from '../config/config.ts'
import type { Limits } from './route.ts'

/** What a rule takes, for people. */
export function ruleText({ group, from, for: addressee, content }: MatchRule = {}): string {
  const parts = [
    ...(group === undefined ? [] : [`group ${listText(group)}`]),
    ...(from === undefined ? [] : [`from ${senderText(from)}`]),
    ...(addressee === 'me' ? ['for me'] : []),
    ...(content === undefined ? [] : [`content ${contentText(content)}`]),
  ]
  return parts.length === 0 ? 'everything' : parts.join(', ')
}

export function listText(values: string | readonly string[]): string {
  return [values].flat().join(' | ')
}

export function senderText(rules: SenderRule | readonly SenderRule[]): string {
  return listText([rules].flat().map((rule) => (typeof rule === 'string' ? rule : `name ${rule.name}`)))
}

export function contentText(content: MatchRule['content']): string {
  if (content === undefined) return 'anything'
  if ('prefix' in content) return `${JSON.stringify(content.prefix)}…`
  return String(content instanceof RegExp ? content : `/${content.regex}/`)
}

export function limitsText({ concurrency, rate, serial, serialScope, weight = 1 }: Limits = {}): string {
  const of = (scope: 'fleet' | undefined): string => (scope === undefined ? '' : ' in the fleet')
  return [
    ...(concurrency === undefined ? [] : [`concurrency ${concurrency}`]),
    ...(rate === undefined ? [] : [`rate ${rate.count}/${formatDuration(rate.window)}${of(rate.scope)}`]),
    ...(serial === undefined ? [] : [`serial ${serial}${of(serialScope)}`]),
    ...(weight === 1 ? [] : [`weight ${weight}`]),
  ].join(', ')
}
