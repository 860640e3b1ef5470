import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SmallDisk } from '../support/small-disk.ts'
import { factsOf, JournalBench } from './journal-bench.ts'

interface Timer {
  readonly act: () => void
  readonly wait: number
  unref(): void
}

/** What is to be done later, what keeps the process from its end until then, and what the disk has left. */
const host = vi.hoisted(() => ({ timers: new Set<Timer>(), holding: new Set<Timer>(), free: Infinity }))

vi.mock('../../src/base/host-time.ts', async (original) => {
  const start = (act: () => void, wait: number): Timer => {
    const timer = { act, wait, unref: (): void => void host.holding.delete(timer) }
    host.timers.add(timer)
    host.holding.add(timer)
    return timer
  }
  const end = (timer: Timer): void => {
    host.timers.delete(timer)
    host.holding.delete(timer)
  }
  return {
    ...(await original<object>()),
    setInterval: start,
    setTimeout: start,
    clearInterval: end,
    clearTimeout: end,
  }
})

vi.mock('../../src/journal/disk-space.ts', async (original) => ({
  ...(await original<object>()),
  diskSpace: () => ({ size: Infinity, free: host.free, isFull: false }),
}))

let bench: JournalBench

beforeEach(() => {
  host.free = Infinity
  bench = new JournalBench()
})

afterEach(() => {
  bench[Symbol.dispose]()
  expect([...host.timers, ...host.holding]).toEqual([])
})

const inTurn = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve))
const content = (): string => readFileSync(bench.file, 'hex')
const logSize = (): number => statSync(`${bench.file}-wal`).size
let written = 0
/** So many commits; ten rows in all, each time other ones. @returns KiB that the log had at most. */
function grow(commits: number, letters = 1): number {
  let longest = 0
  for (let n = 0; n < commits; n += 1) {
    written += 1
    void bench.facts.set(`fact ${n % 10}`, `${written} `.padEnd(letters, `${written} `))
    bench.turn()
    longest = Math.max(longest, logSize())
  }
  return longest / 1_024
}

describe('the log beside the file', () => {
  it('is carried over into the file after 250 commits, and begins anew then', async () => {
    const before = content()
    grow(240)
    await inTurn()
    expect(content() === before).toBe(true)
    grow(10)
    await inTurn()
    expect(content() === before).toBe(false)
    const size = logSize()
    grow(100)
    expect(logSize()).toBe(size)
  })

  it('is carried over every ten seconds', () => {
    const before = content()
    grow(1)
    const [timer] = host.timers
    expect([timer?.wait, content() === before]).toEqual([10_000, true])
    timer?.act()
    expect(content() === before).toBe(false)
  })

  it('grows to 16 MiB where there is room', () => {
    const longest = grow(120, 200_000)
    expect(longest).toBeGreaterThan(16_384)
    expect(longest).toBeLessThan(17_000)
  })

  it('takes no more than a quarter of what is left on a disk, also of what others have left of it since', () => {
    host.free = 4_194_304
    bench.reopen()
    const longest = grow(200, 5_000)
    expect(longest).toBeGreaterThan(1_000)
    expect(longest).toBeLessThan(1_100)
    host.free = 262_144
    const [timer] = host.timers
    timer?.act()
    const before = content()
    grow(20, 5_000)
    expect(content() === before).toBe(false)
  })

  it('is carried over with each commit where nothing is left', () => {
    host.free = 0
    bench.reopen()
    const before = content()
    grow(1)
    expect(content() === before).toBe(false)
  })

  it('is gone with a close, which leaves all in the file', () => {
    grow(3)
    bench.close()
    expect([existsSync(`${bench.file}-wal`), Object.keys(bench.written())]).toEqual([
      false,
      ['fact 0', 'fact 1', 'fact 2'],
    ])
  })

  it('is carried over before anything is written after the disk was full, or there would be no room for that', (context) => {
    using disk = new SmallDisk(context)
    const small = bench.opened({ directory: join(disk.state, '..') })
    const facts = factsOf(small)
    const log = join(disk.state, '../journal.db-wal')
    const write = (): void => {
      written += 1
      void facts.set('fact', `${written} `.padEnd(5_000, `${written} `))
      bench.turn()
    }
    disk.fill()
    for (let n = 0; n < 100 && small.isHealthy; n += 1) write()
    expect(bench.told).toEqual([expect.stringContaining('the disk is full')])
    const full = statSync(log).size
    disk.free()
    write()
    expect([small.isHealthy, statSync(log).size < full]).toEqual([true, true])
    write()
    const { size } = statSync(log)
    write()
    expect(statSync(log).size).toBeGreaterThan(size)
    small.close()
  })
})

describe('commits that nobody else makes', () => {
  beforeEach(() => bench.reopen({ schedule: undefined }))

  it('are made at the end of the turn', async () => {
    void bench.facts.set('a', '1')
    expect(bench.written()).toEqual({})
    await inTurn()
    expect(bench.written()).toEqual({ a: '"1"' })
  })

  it('are tried again a second later, for which no process goes on (P10)', async () => {
    bench.change('ALTER TABLE facts RENAME TO away')
    await bench.facts.set('a', '1')
    const retries = (): number[] => [...host.timers].map(({ wait }) => wait).filter((wait) => wait < 10_000)
    expect([bench.told.length, retries(), host.holding.size]).toEqual([1, [1_000], 0])
    bench.change('ALTER TABLE away RENAME TO facts')
    for (const { act, wait } of host.timers) if (wait === 1_000) act()
    expect([bench.journal.isHealthy, bench.written(), retries()]).toEqual([true, { a: '"1"' }, []])
  })
})
