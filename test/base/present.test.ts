import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Crowd, Present } from '../../src/base/present.ts'
import { collect } from '../support/collect.ts'

/** How many of a thousand objects that have come and gone stay alive while only the table in which they stood does. */
async function aliveAfter(
  present: { set(key: number, value: object): unknown; delete(key: number): unknown },
  tableOf: () => Iterator<object>,
): Promise<number> {
  present.set(0, {})
  // Once begun, an iterator holds the table of now until it is asked on: as a table does that has become old.
  const table = tableOf()
  table.next()
  const values = Array.from({ length: 1_000 }, (_, n) => {
    const value = {}
    present.set(n + 1, value)
    return new WeakRef(value)
  })
  for (let n = 0; n < 1_000; n += 1) present.delete(n + 1)
  // What a reference was made to stays alive until the turn is over.
  await setImmediate()
  collect()
  const alive = values.filter((value) => value.deref() !== undefined).length
  table.next()
  return alive
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

  it('is kept alive by nothing once it has left, as it is by a map', async () => {
    const map = new Map<number, object>()
    const present = new Present<number, object>()
    expect(await aliveAfter(map, () => map.values())).toBeGreaterThan(0)
    expect(await aliveAfter(present, () => present.values()[Symbol.iterator]())).toBe(0)
  })
})
