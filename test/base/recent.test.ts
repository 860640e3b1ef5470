import { expect, it } from 'vitest'
import { Recent } from '../../src/base/recent.ts'
import { collect } from '../support/collect.ts'

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

it('keeps nothing of what has come and gone, whether it was ever full or not', () => {
  const used = (): number => {
    collect()
    return process.memoryUsage().heapUsed
  }
  const full = new Recent<number>(3)
  for (let count = 0; count < 10; count += 1) full.set(`before ${count}`, count)
  full.delete('before 9')
  for (const recent of [new Recent<number>(1_000), full]) {
    const before = used()
    for (let count = 0; count < 200_000; count += 1) recent.set(String(count), count).delete(String(count))
    expect(used() - before).toBeLessThan(5_000_000)
    expect(recent.size).toBeLessThan(3)
  }
})
