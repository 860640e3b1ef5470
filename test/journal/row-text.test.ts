import { describe, expect, it } from 'vitest'
import { rowText } from '../../src/journal/row-text.ts'

/** So many objects, one in the other, around a value. */
function deep(levels: number, value: unknown): unknown {
  let made = value
  for (let level = 0; level < levels; level += 1) made = { in: made }
  return made
}

/** What is so many levels down. */
function at(value: unknown, levels: number): unknown {
  let found: unknown = value
  for (let level = 0; level < levels; level += 1) found = (found as { in?: unknown } | null)?.in
  return found
}

const read = (row: unknown): unknown => JSON.parse(rowText(row) ?? 'undefined')

describe('a row that is written (P5)', () => {
  it('is as JSON has it, however deep and long it is', () => {
    const row = { a: [1, null, 'x'.repeat(2_000_000)], deep: deep(100, 'here') }
    expect(read(row)).toEqual(row)
  })

  it('with something in it that JSON does not take is written with all the rest', () => {
    const row = { n: 5n, list: [1n, 'b', null], run: () => 1, text: 'c', no: undefined, yes: true, none: null }
    expect(read(row)).toEqual({ n: '5', list: ['1', 'b', null], text: 'c', yes: true, none: null })
  })

  it('is cut then where it is deeper than anything that the worker writes, or a text is too long', () => {
    expect(at(read({ n: 1n, in: deep(62, 'here') }), 63)).toBe('here')
    expect(at(read({ n: 1n, in: deep(63, { x: 1 }) }), 64)).toBeNull()
    const circle: Record<string, unknown> = { name: 'a' }
    circle['in'] = circle
    expect(at(read(circle), 63)).toEqual({ name: 'a', in: null })
    expect(read({ n: 1n, text: 'x'.repeat(1_048_577) })).toEqual({ n: '1', text: 'x'.repeat(1_048_576) })
    const lists: unknown[] = [1n]
    lists.push(lists)
    expect(JSON.stringify(read(lists)).length).toBeLessThan(1_000)
  })

  it('of which nothing can be read is none', () => {
    const trap = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('no')
        },
      },
    )
    expect(rowText(trap)).toBeUndefined()
  })
})
