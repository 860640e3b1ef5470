import { describe, expect, it } from 'vitest'
import { Bench, obey, until, type Station } from '../../support/harness.ts'
import { requestsFor, stillClaimed, story, times, when } from '../../support/record.ts'

/** The first run waits for its abort, the second one does the work. */
function secondTimeDone(bench: Bench, settings = {}): { id: string; station: Station } {
  const id = bench.send('long work')
  let starts = 0
  const station = bench.work(
    async (_, ctx) => {
      starts += 1
      if (starts === 1) await obey(ctx)
      return 'done'
    },
    { settings: { claim: { timeout: 2_000 }, ...settings } },
  )
  return { id, station }
}

function expectAbortInTime(bench: Bench, id: string, station: Station): number {
  const [run] = station.runsOf(id)
  expect(run?.aborted?.code).toBe('lease-lost')
  const at = run?.aborted?.at ?? Infinity
  expect(at).toBeLessThan(when(bench.emulator, id, 'expired'))
  return at
}

describe.concurrent('P2, §2: a lease that cannot be renewed', () => {
  it.for(['refuse', 'ignore'])(
    'aborts the handler before the claim ends and sends nothing more (reclaim: %s)',
    async (reclaim) => {
      await using bench = await Bench.open({ switches: { reclaim, defaultTimeout: 2 } as object })
      const { id, station } = secondTimeDone(bench)
      await bench.completed(id)

      const aborted = expectAbortInTime(bench, id, station)
      const again = when(bench.emulator, id, 'claimed', 2)
      const between = requestsFor(bench.emulator, id).filter(({ at }) => at >= aborted && at < again)
      expect(between).toEqual([])
      expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'expired', 'claimed', 'completed'])
      expect(station.runsOf(id)).toHaveLength(2)
      expect(station.all('clink.lost', id)).toHaveLength(1)
    },
  )

  it('ends while the service is away, and a second claim does the work', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 2 } })
    const { id, station } = secondTimeDone(bench)
    await until(() => station.runs.length === 1, 'the handler starts')
    bench.emulator.disconnect()
    await until(() => station.runs[0]?.aborted !== undefined, 'the handler is aborted')
    await until(() => bench.status(id) === 'pending', 'the claim ends')
    await bench.emulator.reconnect()
    await bench.completed(id)

    expectAbortInTime(bench, id, station)
    const again = when(bench.emulator, id, 'claimed', 2)
    const settled = requestsFor(bench.emulator, id).filter(({ operation }) => operation !== 'claim_clink')
    expect(settled.map(({ operation }) => operation)).toEqual(['complete_clink'])
    expect(settled[0]?.at).toBeGreaterThanOrEqual(again)
    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'expired', 'claimed', 'completed'])
  })

  it.for(['refuse-409', 'refuse-403', 'accept'])(
    'has a late result not sent, and the clink runs again (lateComplete: %s)',
    async (lateComplete) => {
      await using bench = await Bench.open({
        switches: { reclaim: 'refuse', lateComplete, defaultTimeout: 2 } as object,
      })
      const id = bench.send('long work')
      const late = Promise.withResolvers<string>()
      const station = bench.work(async (_, ctx) => {
        if (station.runs.length > 1) return 'second'
        await obey(ctx).catch(() => {})
        return await late.promise
      })
      await until(() => bench.status(id) === 'pending' && times(bench.emulator, id, 'expired') > 0, 'the claim ends')
      late.resolve('first, too late')
      await bench.completed(id)

      const again = when(bench.emulator, id, 'claimed', 2)
      const settled = requestsFor(bench.emulator, id).filter(({ operation }) => operation !== 'claim_clink')
      expect(settled.every(({ at }) => at >= again)).toBe(true)
      expect(station.runsOf(id)).toHaveLength(2)
      const sent = bench.emulator.clinks().map(({ content }) => content)
      expect(sent).toContain('second')
      expect(sent).not.toContain('first, too late')
    },
  )

  it('is noticed when a person completes the clink meanwhile: nothing is sent, nothing runs again', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 2 } })
    const id = bench.send('long work')
    const station = bench.work(async (_, ctx) => await obey(ctx), { settings: { claim: { timeout: 2_000 } } })
    await until(() => station.runs.length === 1, 'the handler starts')
    bench.emulator.changeClink(id, { status: 'completed' })
    await until(() => station.runs[0]?.aborted !== undefined, 'the handler is aborted')
    await until(() => station.daemon.snapshot().running === 0, 'the slot is free')

    expect(station.runs[0]?.aborted?.code).toBe('lease-lost')
    expect(requestsFor(bench.emulator, id).every(({ operation }) => operation === 'claim_clink')).toBe(true)
    expect(station.runs).toHaveLength(1)
    expect(stillClaimed(bench.emulator)).toEqual([])
  })
})
