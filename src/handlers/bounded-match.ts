import { createContext, Script } from 'node:vm'
import { systemCode } from '../base/coded-error.ts'

/** Milliseconds that a pattern has for one text. */
const LIMIT = 250
/** Of that it must have had so much of a processor. */
const MOSTLY = 0.8
/** Milliseconds of the last try. */
const LONGEST_TRY = 8_000
/** A text so long takes even a plain pattern too long. */
const LONG_TEXT = 16_384

/** Finds what an expression matches; `timeout`: that took too long. */
export type Find = (text: string) => RegExpExecArray | 'timeout' | null

/**
 * An expression that ends: where it may run away, a watchdog breaks it off. That costs a tenth of a millisecond, so plain patterns go
 * without.
 */
export function boundedMatch(source: RegExp): Find {
  // A copy, started anew each time: with the flags g and y an expression goes on where it found something last.
  const expression = new RegExp(source.source, source.flags)
  const mayRunAway = canRunAway(expression.source)
  const find = (text: string): RegExpExecArray | null => {
    expression.lastIndex = 0
    return expression.exec(text)
  }
  let watched: Find | undefined
  return (text) => {
    if (!mayRunAway && text.length <= LONG_TEXT) return find(text)
    watched ??= watch(find)
    return watched(text)
  }
}

/**
 * The watchdog goes by the time of day. Where the machine is busy or slept, the pattern has had less than that, and is tried anew with
 * more: a good clink is not to be given up for it.
 */
function watch(find: (text: string) => RegExpExecArray | null): Find {
  const global: { find: typeof find; text: string } = { find, text: '' }
  const context = createContext(global)
  const script = new Script('find(text)')
  return (text) => {
    global.text = text
    try {
      for (let timeout = LIMIT; ; timeout *= 2) {
        const before = process.threadCpuUsage()
        try {
          const found: RegExpExecArray | null = script.runInContext(context, { timeout })
          return found
        } catch (error) {
          // It is an error of the other context, and no `Error` here.
          if (systemCode(error) !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
          const { system, user } = process.threadCpuUsage(before)
          if ((user + system) / 1_000 >= LIMIT * MOSTLY || timeout >= LONGEST_TRY) return 'timeout'
        }
      }
    } finally {
      global.text = ''
    }
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
