import { expect, it } from 'vitest'
import { ageText } from '../../../src/commands/failed/age.ts'
import { lettersText } from '../../../src/commands/failed/letter-text.ts'
import { clink } from '../../support/sample-records.ts'
import { letter } from '../../support/states.ts'

const SENT = Date.UTC(2026, 0, 31, 8)
const MINUTE = 60_000
const sent = { ...clink, created_at: new Date(SENT).toISOString() }

it.each([
  ['by a clock that agrees', SENT + MINUTE, '1m 00s'],
  ['a moment ago, by a clock that is a little ahead', SENT + 2 * MINUTE + 900, '0ms'],
  ['by a clock that is ahead', SENT + 3 * MINUTE, '?'],
  ['by a clock that is years ahead', SENT + 1e12, '?'],
  ['before it was sent, by a service whose clock is ahead', SENT - 5 * MINUTE, '7m 00s'],
  ['long before it was sent', 0, '?'],
])('the age of what was given up %s is one that can be, or not said', (_, at, text) => {
  expect(ageText({ at, clink: sent }, SENT + 2 * MINUTE)).toBe(text)
})

it('an age of a clink that does not say when it was sent is what the clocks say', () => {
  expect(ageText({ at: SENT, clink: { ...clink, created_at: '' } }, SENT + MINUTE)).toBe('1m 00s')
})

it('failed list shows it so', () => {
  const io = { color: false } as Parameters<typeof lettersText>[1]
  const ahead = { ...letter, clink: sent, at: SENT + 10 * MINUTE }
  expect(lettersText([ahead], io, SENT + MINUTE)).toMatch(/ +3 +\? +/)
})
