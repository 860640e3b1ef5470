import { namedGroups, type ContentFault, type Matched } from './content-match.ts'
import type { Patterns } from './patterns.ts'

/** A text of this length takes a plain pattern a fiftieth of a second at most; Clink takes none that is longer. */
const LONG_TEXT = 4_096

type Found = Matched | ContentFault | undefined

/** Finds what an expression matches. A promise only where that may take long. */
export type Find = (text: string) => Found | Promise<Found>

/** An expression that ends: where it may run away, it is tried in a thread. Plain patterns are tried at once. */
export function boundedMatch(source: RegExp, patterns: Patterns): Find {
  // A copy, started anew each time: with the flags g and y an expression goes on where it found something last.
  const expression = new RegExp(source.source, source.flags)
  const mayRunAway = canRunAway(expression.source)
  return (text) => {
    expression.lastIndex = 0
    if (mayRunAway || text.length > LONG_TEXT) return patterns.find(expression, text)
    return namedGroups(expression.exec(text))
  }
}

/**
 * Whether the time of a pattern may grow faster than with the square of the text: where quantifiers stand within or
 * beside each other, or one stands with alternatives or a reference to a group. Characters in brackets count as well:
 * a wrong yes costs little.
 */
function canRunAway(source: string): boolean {
  const plain = source.replaceAll(/\\[^1-9k]/g, '_').replaceAll(/\(\?(?:[:=!]|<[=!]?)/g, '(')
  const quantifiers = plain.match(/[*+?{]/g)?.length ?? 0
  return quantifiers > 1 || (quantifiers > 0 && /[|\\]/.test(plain))
}
