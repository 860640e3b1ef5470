import { describe, expect, it } from 'vitest'
import type { Breakage } from './life.ts'
import type { Plan } from './plan.ts'
import { playSeed, runSeed } from './run-seed.ts'

/** One of its processes sleeps when all the others have nothing left to do. */
const SLEEPY = 1_520_609
const VOCABULARY = ['pages', 'steps'] as const

/** The first process of each worker is stopped, and started again some time after that. */
const restarted = (plan: Plan): Plan => ({
  ...plan,
  workers: plan.workers.map((worker) => ({
    ...worker,
    turns: [...worker.turns, { at: plan.calmAt - 1, what: 'stop', ms: 60_000 } as const],
  })),
})

describe('a play', { timeout: 60_000 }, () => {
  it('ends when its last process has woken and stopped', async () => {
    const { quietAt, record } = await playSeed(SLEEPY, { vocabulary: VOCABULARY })
    const lives = [...record.lives.values()]
    expect(lives.some(({ sleeps }) => sleeps.some(({ from, to }) => from < quietAt && to > quietAt + 60_000))).toBe(
      true,
    )
    expect(lives.filter(({ crashedAt, stoppedAt }) => (crashedAt ?? stoppedAt) === undefined)).toEqual([])
  })

  it('begins no process when all are to stop', async () => {
    const { quietAt, record } = await playSeed(SLEEPY, { vocabulary: VOCABULARY, planned: restarted })
    expect([...record.lives.values()].filter(({ startedAt }) => startedAt > quietAt)).toEqual([])
  })

  it('has the judge notice a worker that says nothing of a claim which ran out while it slept (P1)', async () => {
    const breakage: Breakage = {
      parts: (real) => ({
        ...real,
        emit: (event) => {
          if (event.event !== 'clink.leftToExpire') real.emit(event)
        },
      }),
    }
    const { breaches } = await runSeed(SLEEPY, { vocabulary: VOCABULARY, breakage })
    expect(breaches).toContainEqual(expect.objectContaining({ rule: 'P1', text: expect.stringContaining('ran out') }))
  })
})
