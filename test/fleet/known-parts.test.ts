import { expect, it } from 'vitest'
import { KnownParts } from '../../src/fleet/known-parts.ts'

it('what was read of a clink is old after a quarter of a second, and so is what was not read', () => {
  let now = 1_000
  const known = new KnownParts({ now: () => now })
  expect(known.isOld('a')).toBe(true)
  known.read(['a'], { mine: [], notes: [], parts: [] }, 7, () => false)
  expect([known.of('a'), known.isOld('a'), known.wasWithoutMine('a')]).toEqual(['none', false, 7])
  now += 250
  expect(known.isOld('a')).toBe(false)
  now += 1
  expect([known.of('a'), known.isOld('a')]).toEqual(['none', true])
  known.over('a')
  expect(known.isOld('a')).toBe(false)
  known.outdated('a')
  expect([known.of('a'), known.isOld('a')]).toEqual([undefined, true])
})
