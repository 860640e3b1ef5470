import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Target } from '../../../src/handlers/route.ts'
import { inlineRunner } from '../../../src/runners/inline.ts'
import type { Runner, Task } from '../../../src/runners/runner.ts'
import { makeConfig } from '../../support/settings.ts'
import { threadsOf } from '../../../src/worker/capacity/thread-limit.ts'
import { Bench, until } from '../../support/harness.ts'
import { mostClaimed, when } from '../../support/record.ts'

const modules = { tag: '1', roots: [], resolved: new Map(), sources: new Map() }
const target: Target = { is: 'thread', url: '', modules }

/** Runs what needs a thread for a while, and counts how many do so at once. */
class Threads implements Runner {
  most = 0
  #now = 0
  readonly #ms: number

  constructor(ms: number) {
    this.#ms = ms
  }

  start(task: Task) {
    return task.target.is === 'thread' ? { ended: this.#run() } : inlineRunner.start(task)
  }

  async #run() {
    this.#now += 1
    this.most = Math.max(this.most, this.#now)
    await delay(this.#ms)
    this.#now -= 1
    return { outcome: 'done' } as const
  }
}

describe('no clink is claimed for a thread that cannot be had (P6)', () => {
  it.each(['batch', 'select'] as const)('where all handlers need one (%s)', async (claim) => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(12)
    const runner = new Threads(100)
    const settings = { concurrency: 6, handlers: { threads: 2 }, inbox: { claim }, claim: { exclusive: true } }
    bench.work(() => {}, { runner, target, settings })
    await bench.completed(ids)
    expect([runner.most, mostClaimed(bench.emulator)]).toEqual([2, 2])
  })

  it('where some do, and others go on meanwhile', async () => {
    await using bench = await Bench.open()
    const slow = Array.from({ length: 4 }, (_, n) => bench.send(`slow ${n}`))
    const quick = Array.from({ length: 12 }, (_, n) => bench.send(`quick ${n}`))
    const runner = new Threads(500)
    bench.work(() => {}, {
      runner,
      routes: ['slow', 'quick'],
      targets: { slow: target },
      settings: { concurrency: 3, handlers: { threads: 1 }, claim: { exclusive: true } },
    })
    await bench.completed([...slow, ...quick])
    expect(runner.most).toBe(1)
    const lastQuick = Math.max(...quick.map((id) => when(bench.emulator, id, 'completed')))
    const slowClaims = slow.map((id) => when(bench.emulator, id, 'claimed')).toSorted((a, b) => a - b)
    const slowEnds = slow.map((id) => when(bench.emulator, id, 'completed')).toSorted((a, b) => a - b)
    expect(lastQuick).toBeLessThan(slowEnds[1] ?? 0)
    for (const [n, end] of slowEnds.slice(0, -1).entries()) expect(slowClaims[n + 1]).toBeGreaterThanOrEqual(end)
  })

  it('where a poll takes what comes, what needs one waits for it and holds up nobody', async () => {
    await using bench = await Bench.open()
    const slow = Array.from({ length: 2 }, (_, n) => bench.send(`slow ${n}`))
    const runner = new Threads(1_500)
    const station = bench.work(() => {}, {
      runner,
      routes: ['slow', 'quick'],
      targets: { slow: target },
      settings: { concurrency: 3, handlers: { threads: 1 }, inbox: { claim: 'batch' } },
    })
    await until(() => station.all('clink.claimed').length === 2, 'both are claimed')
    const quick = bench.send('quick')
    await bench.completed([quick, ...slow])
    expect(runner.most).toBe(1)
    const [first] = slow.map((id) => when(bench.emulator, id, 'completed')).toSorted((a, b) => a - b)
    expect(when(bench.emulator, quick, 'completed')).toBeLessThan(first ?? 0)
  })
})

describe('handlers.threads', () => {
  it.each([
    ['auto', 4, 4],
    ['auto', 40, 16],
    [20, 40, 20],
  ] as const)('%s of a concurrency of %d is %d', (threads, concurrency, most) => {
    expect(threadsOf(makeConfig('http://127.0.0.1:1', { concurrency, handlers: { threads } }))).toBe(most)
  })
})
