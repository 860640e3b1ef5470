import { getHeapSpaceStatistics } from 'node:v8'
import { describe, expect, it } from 'vitest'
import { Crowd, Present } from '../../src/base/present.ts'
import { collect } from '../support/collect.ts'

const oldSpace = (): number =>
  getHeapSpaceStatistics().find(({ space_name: name }) => name === 'old_space')?.space_used_size ?? 0

/** Bytes that become old while so many objects of a kilobyte come and go, fifty at a time. */
function grown(come: (key: number, value: object) => void, go: (key: number) => void): number {
  for (let n = 0; n < 200; n += 1) come(n, {})
  for (let n = 0; n < 150; n += 1) go(n)
  // What lives long is old by now.
  collect()
  let sum = 0
  let before = oldSpace()
  for (let n = 200; n < 100_000; n += 1) {
    come(n, { fields: Array.from({ length: 128 }, (_, at) => at) })
    go(n - 50)
    if (n % 1_000 > 0) continue
    // A collection of the whole heap takes back what had become old by mistake.
    sum += Math.max(0, oldSpace() - before)
    before = oldSpace()
  }
  return sum
}

describe('what is present', () => {
  it('is there from its coming to its leaving, in the order of its coming', () => {
    const present = new Present<string, number>()
    for (const [at, name] of ['a', 'b', 'c'].entries()) present.set(name, at)
    present.set('a', 5)
    present.delete('b')
    present.delete('none')
    expect([...present.entries()]).toEqual([
      ['a', 5],
      ['c', 2],
    ])
    expect([present.size, present.has('b'), present.get('b'), present.get('c')]).toEqual([2, false, undefined, 2])
    present.set('b', 7)
    expect([...present.values()]).toEqual([5, 2, 7])
  })

  it('may be there more than once where it has no id', () => {
    const crowd = new Crowd<string>()
    const leave = crowd.add('same')
    crowd.add('same')
    expect([...crowd]).toEqual(['same', 'same'])
    leave()
    leave()
    expect([...crowd]).toEqual(['same'])
  })

  it('is kept alive by nothing once it has left, as it is by a map', () => {
    const map = new Map<number, object>()
    const byMap = grown(
      (key, value) => map.set(key, value),
      (key) => map.delete(key),
    )
    const present = new Present<number, object>()
    const here = grown(
      (key, value) => present.set(key, value),
      (key) => present.delete(key),
    )
    expect(here).toBeLessThan(byMap / 4)
  })
})
