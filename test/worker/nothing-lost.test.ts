import { describe, expect, it } from 'vitest'
import { Bench, take } from '../support/harness.ts'
import { claimedAt, claimingPolls, mostClaimed, story, when } from '../support/record.ts'

describe.concurrent('P1, P6, §3: a backlog', () => {
  it('is worked whole, each clink once, and never with more claims than slots', async () => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(60)
    const station = bench.work(async (_, ctx) => await take(60, ctx), { settings: { concurrency: 5 } })
    await bench.completed(ids)

    expect(station.runs.map(({ id }) => id).sort()).toEqual([...ids].sort())
    for (const id of ids) expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
    expect(mostClaimed(bench.emulator)).toBe(5)
    expect(station.mostRunning).toBe(5)
  })

  it('is asked for in pages of no more than the free slots', async () => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(40)
    bench.work(async (clink, ctx) => await take(clink.content.endsWith('3') ? 300 : 40, ctx), {
      settings: { concurrency: 4 },
    })
    await bench.completed(ids)

    const polls = claimingPolls(bench.emulator)
    expect(polls.length).toBeGreaterThan(9)
    for (const { at, params } of polls) {
      expect(Number(params['limit']) + claimedAt(bench.emulator, at)).toBeLessThanOrEqual(4)
    }
  })

  it('has no clink wait between its claim and its handler', async () => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(30)
    const station = bench.work(async (_, ctx) => await take(3_000, ctx), { settings: { concurrency: 10 } })
    await bench.completed(ids)

    for (const run of station.runs) {
      expect(run.start - when(bench.emulator, run.id, 'claimed')).toBeLessThan(2_500)
    }
    expect(station.runs).toHaveLength(30)
  })

  it('is shared by two workers with one run for each clink', async () => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(60)
    const stations = ['worker', 'helper'].map((key) => bench.work(async (_, ctx) => await take(30, ctx), { key }))
    await bench.completed(ids)

    const ran = stations.flatMap(({ runs }) => runs.map(({ id }) => id))
    expect(ran.sort()).toEqual([...ids].sort())
    for (const { runs } of stations) expect(runs.length).toBeGreaterThan(0)
  })

  it('is shared by two workers with the same key too', async () => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(60)
    const stations = [1, 2].map(() => bench.work(async (_, ctx) => await take(30, ctx)))
    await bench.completed(ids)

    const ran = stations.flatMap(({ runs }) => runs.map(({ id }) => id))
    expect(ran.sort()).toEqual([...ids].sort())
  })
})
