import undici from 'undici'
import { expect, it } from 'vitest'
import { errors, partOf, Pool } from '../../src/clink/undici-parts.ts'

it('the parts of undici are those of the whole package, which stands in where they are kept elsewhere', () => {
  expect([Pool, errors]).toEqual([undici.Pool, undici.errors])
  expect(partOf('lib/not-there.js', 'Pool')).toBe(undici.Pool)
})
