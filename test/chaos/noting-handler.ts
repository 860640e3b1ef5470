/**
 * A handler that notes what it does, for the judges. Times in the notes are wall times: all processes run on one machine.
 *
 * @param slow milliseconds that a slow clink takes, at least and at most.
 */
export const notingHandler = (slow: readonly [least: number, most: number]): string => `
import { appendFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { defineHandler } from 'clink-worker'
const me = process.env['ME']
export default defineHandler(async ({ content }, ctx) => {
  const note = (what: string): void =>
    appendFileSync(process.env['NOTES'] ?? '', [Date.now(), me, content, what].join(' ') + '\\n')
  note('starts')
  try {
    if (content.startsWith('slow')) await delay(${slow[0]} + Math.random() * ${slow[1] - slow[0]}, undefined, { signal: ctx.signal })
    if (content.startsWith('step')) {
      await ctx.step('pay', () => note('pays'))
      await delay(300, undefined, { signal: ctx.signal })
    }
    if (content.startsWith('poison')) {
      note('fails')
      throw new Error('it is poison')
    }
    note('is-done')
    return 'done ' + content
  } finally {
    note('ends')
  }
})
`
/** The members of a fleet by the names that are in the notes. */
export const MEMBERS = ['a', 'b', 'c']
/** Milliseconds. */
export const SETTLED_WITHIN = 120_000
