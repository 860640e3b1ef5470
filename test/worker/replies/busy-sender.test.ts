import { describe, expect, it } from 'vitest'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { loadText } from '../../support/config-files.ts'
import { VirtualBench, type VirtualOptions } from '../../support/virtual.ts'

const SECOND = 1_000

function open(options: Partial<VirtualOptions> = {}): VirtualBench {
  return new VirtualBench({ handle: async ({ content }) => `done: ${content}`, ...options })
}

/** All clinks were answered, none was left alone for a while, and nothing is remembered of it. */
function expectWorked(bench: VirtualBench, count: number): void {
  expect(bench.all('clink.completed')).toHaveLength(count)
  expect(bench.all('sender.muted')).toEqual([])
  expect(bench.all('clink.parked')).toEqual([])
  expect(bench.all('clink.leftAlone').filter(({ why }) => why !== 'in-hand')).toEqual([])
}

it('P15: where nothing is set no sender is held to a limit, and circles end by their hops (design, section 5)', async () => {
  const { config } = await loadText('')
  expect(config.inbox).toMatchObject({ loopLimit: null, maxHops: 8 })
})

describe('P15, §5: however much, however fast and however soon after an answer one sender writes, all of it is worked', () => {
  it(
    '10,000 clinks, 50 a second, without a pause, and no id of an answer is remembered',
    { timeout: 180_000 },
    async () => {
      const tables = memoryTables()
      const bench = open({ tables })
      let sent = 0
      const waits: number[] = []
      while (sent < 10_000) {
        for (let n = 0; n < 10; n += 1) bench.send(`task ${(sent += 1)}`)
        await bench.pass(200)
        if (sent % 500 === 0) waits.push(sent - bench.all('clink.completed').length)
      }
      await bench.pass(10 * SECOND)
      expectWorked(bench, 10_000)
      // Never more than two seconds' worth of them waits.
      expect(Math.max(...waits)).toBeLessThan(100)
      expect(tables.own.size).toBeLessThanOrEqual(1)
      await bench.stop()
    },
  )

  it('500 one by one, each as soon as the one before is answered', async () => {
    const bench = open()
    for (let sent = 1; sent <= 500; sent += 1) {
      bench.send(`task ${sent}`)
      const at = bench.time.now
      while (bench.all('clink.completed').length < sent) {
        await bench.pass(100)
        if (bench.time.now > at + 20 * SECOND) throw new Error(`task ${sent} waits`)
      }
    }
    expectWorked(bench, 500)
    await bench.stop()
  })

  it.each(['batch', 'select'] as const)(
    '500 at once, and 500 more at once each time they are answered (%s)',
    async (claim) => {
      const bench = open({ settings: { inbox: { claim }, claim: { exclusive: true } } })
      for (let sent = 500; sent <= 2_000; sent += 500) {
        for (let n = 0; n < 500; n += 1) bench.send(`task ${n}`)
        const at = bench.time.now
        while (bench.all('clink.completed').length < sent) {
          await bench.pass(SECOND)
          if (bench.time.now > at + 60 * SECOND) throw new Error(`${bench.all('clink.completed').length} of ${sent}`)
        }
      }
      expectWorked(bench, 2_000)
      await bench.stop()
    },
  )
})
