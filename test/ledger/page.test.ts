import { describe, expect, it } from 'vitest'
import { pageOf, type Place } from '../../src/ledger/page.ts'

interface Row extends Place {
  readonly text: string
}

const row = (at: number, id: string, text = ''): Row => ({ at, id, text })
const placeOf = ({ at, id }: Row): Place => ({ at, id })
const page = (rows: readonly Row[], after?: Place) => pageOf(rows, after, placeOf)

describe('a page of a list', () => {
  it('is in the order of time, and of ids within one moment, whatever the order of the rows', () => {
    const rows = [row(2, 'a'), row(1, 'c'), row(1, 'a'), row(1, 'b')]
    expect(page(rows)).toEqual({ rows: [row(1, 'a'), row(1, 'b'), row(1, 'c'), row(2, 'a')] })
  })

  it('begins after the place that is named, and not with it', () => {
    const rows = [row(1, 'a'), row(1, 'b'), row(2, 'a')]
    expect(page(rows, { at: 1, id: 'a' }).rows).toEqual([row(1, 'b'), row(2, 'a')])
    expect(page(rows, { at: 1, id: 'aa' }).rows).toEqual([row(1, 'b'), row(2, 'a')])
    expect(page(rows, { at: 2, id: 'a' })).toEqual({ rows: [] })
    expect(page([])).toEqual({ rows: [] })
  })

  it('has five hundred rows at most, and names the last of them where there are more', () => {
    const rows = Array.from({ length: 501 }, (_, n) => row(n, 'a'))
    const first = page(rows)
    expect([first.rows.length, first.next]).toEqual([500, { at: 499, id: 'a' }])
    expect(page(rows, first.next)).toEqual({ rows: [row(500, 'a')] })
    expect(page(rows.slice(1))).toEqual({ rows: rows.slice(1) })
  })

  it('ends where its text is long enough, with one row at least', () => {
    const rows = [1, 2, 3].map((at) => row(at, 'a', 'x'.repeat(1_500_000)))
    const first = page(rows)
    expect([first.rows.length, first.next]).toEqual([2, { at: 2, id: 'a' }])
    expect(page(rows, first.next)).toEqual({ rows: [rows[2]] })
    const whole = JSON.stringify(row(1, 'a')).length
    const exact = [row(1, 'a', 'x'.repeat(2_000_000 - whole)), row(2, 'a')]
    expect(page(exact).rows).toHaveLength(1)
  })
})
