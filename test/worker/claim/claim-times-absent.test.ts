import { describe, expect, it } from 'vitest'
import type { Clock } from '../../../src/base/clock.ts'
import { Bench, take, until } from '../../support/harness.ts'
import { patientClock } from '../../support/patient-time.ts'
import { requestsFor, story, times } from '../../support/record.ts'

/** How many seconds of the worker and of the emulator pass in one real second: a claim of 300 s lasts six. */
const SPEED = 50

function fastClock(): Clock {
  const real = patientClock()
  const start = real.now()
  const fast = (time: number): number => start + (time - start) * SPEED
  return {
    now: () => fast(real.now()),
    wall: () => real.wall() * SPEED,
    at: (time, run) => real.at(start + (time - start) / SPEED, run),
  }
}

async function fastBench(): Promise<Bench> {
  const real = patientClock()
  const start = real.wall()
  let moved = 0
  const clock = {
    now: () => start + (real.wall() - start) * SPEED + moved,
    move: (ms: number): void => {
      moved += ms
    },
  }
  return await Bench.open({ switches: { claimTimes: 'absent', defaultTimeout: 300 }, clock })
}

const claim = { timeout: 300_000 }
const slow = { poll: { interval: 5_000, maxInterval: 10_000 }, clink: { timeout: 60_000 }, handlers: { timeout: 6e6 } }

describe.concurrent('P2, §2: claims without times', () => {
  it('last 300 s by our clock, whatever renewals answer', async () => {
    await using bench = await fastBench()
    const id = bench.send('long')
    const station = bench.work(
      async (_, ctx) => {
        if (station.runs.length === 1) await take(30_000, ctx)
      },
      { settings: { ...slow, claim }, clock: fastClock() },
    )
    await until(() => station.runs[0]?.aborted !== undefined, 'the lease is lost')
    const [run] = station.runs

    expect(run?.aborted?.code).toBe('lease-lost')
    const lasted = ((run?.aborted?.at ?? 0) - (run?.start ?? 0)) * SPEED
    expect(lasted).toBeLessThan(300_000)
    expect(lasted).toBeGreaterThan(200_000)
    const settled = requestsFor(bench.emulator, id).filter(({ operation }) => operation !== 'claim_clink')
    expect(settled).toEqual([])
  })

  it('last as long as they are renewed where renewals are trusted', async () => {
    await using bench = await fastBench()
    const id = bench.send('long')
    const station = bench.work(async (_, ctx) => await take(9_000, ctx), {
      settings: { ...slow, claim: { ...claim, trustRenewals: true } },
      clock: fastClock(),
    })
    await bench.completed(id)

    expect(station.runs).toHaveLength(1)
    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
    expect(times(bench.emulator, id, 'renewed')).toBeGreaterThan(1)
  })
})
