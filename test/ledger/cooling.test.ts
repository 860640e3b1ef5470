import { describe, expect, it } from 'vitest'
import { Cooling } from '../../src/ledger/cooling.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'

/** Clinks that are left alone by a worker whose two clocks the test sets. */
function setUp(tables = memoryTables()) {
  const clock = { wall: 1_000_000, steady: 500 }
  const make = (): Cooling =>
    new Cooling(
      tables.cooling,
      () => clock.wall,
      () => clock.steady,
    )
  const pass = (ms: number): void => {
    clock.wall += ms
    clock.steady += ms
  }
  return { clock, make, pass, cooling: make() }
}

describe('a clink that is left alone for a while', () => {
  it('is so for as long as that, and others are not', async () => {
    const { cooling, pass } = setUp()
    await cooling.set('a', 60_000)
    expect([cooling.of('a'), cooling.of('b')]).toEqual([60_000, 0])
    pass(59_999)
    expect(cooling.of('a')).toBe(1)
    pass(1)
    expect(cooling.of('a')).toBe(0)
  })

  it('are not fewer by a wait that is over already when it is noted', async () => {
    const { cooling } = setUp()
    await cooling.set('a', 60_000)
    for (const ms of [0, -1_000]) await cooling.set('a', ms)
    expect(cooling.of('a')).toBe(60_000)
  })

  it('is so no longer where the wall clock is set back, also in the process after that, and no shorter for long (§2)', async () => {
    const { clock, cooling, make, pass } = setUp()
    await cooling.set('a', 60_000)
    clock.wall -= 3_600_000
    expect([cooling.of('a'), make().of('a')]).toEqual([60_000, 60_000])
    pass(20_000)
    expect(cooling.of('a')).toBe(40_000)
    const next = make()
    expect(next.of('a')).toBe(60_000)
    pass(60_000)
    expect([next.of('a'), cooling.of('a')]).toEqual([0, 0])
  })

  it('is so for what is left of that, also where nobody asked before the wall clock was set back', async () => {
    const { clock, cooling, pass } = setUp()
    await cooling.set('a', 60_000)
    clock.wall -= 3_600_000
    pass(20_000)
    expect(cooling.of('a')).toBe(40_000)
  })

  it('is so no more when the wall clock says that its time is over', async () => {
    const { clock, cooling } = setUp()
    await cooling.set('a', 60_000)
    clock.wall += 60_000
    expect(cooling.of('a')).toBe(0)
    clock.wall += 1
    expect(cooling.of('a')).toBe(0)
  })

  it('is so by the clock that nobody sets, from when the next process first sees it', async () => {
    const { clock, cooling, make, pass } = setUp()
    await cooling.set('a', 60_000)
    pass(10_000)
    const next = make()
    expect(next.of('a')).toBe(50_000)
    clock.wall -= 20_000
    pass(30_000)
    expect(next.of('a')).toBe(20_000)
  })

  it('is so anew when it is noted anew, also by another worker', async () => {
    const { cooling, make, pass } = setUp()
    await cooling.set('a', 60_000)
    pass(10_000)
    await make().set('a', 90_000)
    expect(cooling.of('a')).toBe(90_000)
    pass(10_000)
    expect(cooling.of('a')).toBe(80_000)
  })

  it('is told to have cooled down between two times, and forgotten then', async () => {
    const tables = memoryTables()
    const { cooling, pass } = setUp(tables)
    await cooling.set('a', 60_000)
    await cooling.set('b', 90_000)
    expect(cooling.hasBetween(1_000_000, 1_059_999)).toBe(false)
    expect(cooling.hasBetween(1_000_000, 1_060_000)).toBe(true)
    expect(cooling.hasBetween(1_060_000, 1_089_999)).toBe(false)
    pass(60_000)
    await cooling.prune()
    expect([...tables.cooling.entries()].map(([id]) => id)).toEqual(['b'])
  })
})
