import { expect, it } from 'vitest'
import { Recent } from '../../src/base/recent.ts'

it('remembers so many at most, and forgets first what was set the longest ago', () => {
  const recent = new Recent<number>(3)
  for (const key of ['a', 'b', 'c']) recent.set(key, 1)
  recent.set('a', 2).set('d', 1)
  expect([...recent.keys()]).toEqual(['c', 'a', 'd'])
  recent.delete('a')
  recent.set('e', 1).set('f', 1)
  expect([...recent.keys()]).toEqual(['d', 'e', 'f'])
  recent.clear()
  for (let count = 0; count < 100; count += 1) recent.set(String(count), count)
  expect([...recent.keys()]).toEqual(['97', '98', '99'])
})
