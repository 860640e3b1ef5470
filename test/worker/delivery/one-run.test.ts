import { describe, expect, it } from 'vitest'
import { Bench, until } from '../../support/harness.ts'
import { claimedAt, claimingPolls, requestsFor, times } from '../../support/record.ts'

const settings = { concurrency: 2, handlers: { grace: 300 }, claim: { timeout: 2_000 } }
const switches = { reclaim: 'refuse', defaultTimeout: 2 } as const

describe.concurrent('P3, P11, §4: a handler that ignores the loss of its lease', () => {
  it('ends before its clink runs again, and keeps its slot until then', async () => {
    await using bench = await Bench.open({ switches })
    const gate = Promise.withResolvers<undefined>()
    const stubborn = bench.send('stubborn')
    const station = bench.work(
      async (clink) => {
        if (clink.clink_id === stubborn && station.runsOf(stubborn).length === 1) await gate.promise
        return 'done'
      },
      { settings },
    )
    await until(() => times(bench.emulator, stubborn, 'expired') > 0, 'the claim ends')
    await bench.completed(bench.sendMany(6))
    await until(() => times(bench.emulator, stubborn, 'claimed') > 1, 'the clink comes back')
    await station.seen('clink.stuck', stubborn)
    const whileStuck = station.runsOf(stubborn).length
    gate.resolve(undefined)
    await bench.completed(stubborn)

    const [first, second] = station.runsOf(stubborn)
    expect(whileStuck).toBe(1)
    expect(first?.aborted?.code).toBe('lease-lost')
    expect(second?.start).toBeGreaterThanOrEqual(first?.end ?? Infinity)
    expect(station.mostRunning).toBeLessThanOrEqual(2)
    await station.seen('clink.unstuck', stubborn)
  })

  it('is reported stuck, and with all slots stuck nothing more is claimed', async () => {
    await using bench = await Bench.open({ switches })
    const gate = Promise.withResolvers<undefined>()
    const stubborn = bench.sendMany(2)
    const station = bench.work(
      async () => {
        if (station.runs.length <= 2) await gate.promise
      },
      { settings },
    )
    for (const id of stubborn) await station.seen('clink.stuck', id)
    await until(() => stubborn.every((id) => times(bench.emulator, id, 'expired') > 0), 'the claims end')
    const snapshot = station.daemon.snapshot()
    const polls = claimingPolls(bench.emulator).length
    const claimed = claimedAt(bench.emulator, Infinity)
    gate.resolve(undefined)
    await bench.completed(stubborn)

    expect(snapshot).toMatchObject({ stuck: 2 })
    expect(polls).toBe(1)
    expect(claimed).toBe(0)
    expect(station.mostRunning).toBe(2)
  })

  it('sends nothing for its late result', async () => {
    await using bench = await Bench.open({ switches })
    const gate = Promise.withResolvers<undefined>()
    const id = bench.send('stubborn')
    const station = bench.work(
      async () => {
        if (station.runs.length > 1) return 'second'
        await gate.promise
        return 'first'
      },
      { settings },
    )
    await until(() => times(bench.emulator, id, 'expired') > 0, 'the claim ends')
    gate.resolve(undefined)
    await bench.completed(id)

    const completions = requestsFor(bench.emulator, id).filter(({ operation }) => operation === 'complete_clink')
    expect(completions.map(({ params }) => params['response'])).toEqual(['second'])
    expect(station.all('clink.lateResult', id)).toHaveLength(1)
  })
})

describe.concurrent('P11: a handler that ignores its timeout', () => {
  it('keeps its slot and its claim, is reported stuck, and is tried again only after it ended', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 2 } })
    const gate = Promise.withResolvers<undefined>()
    const id = bench.send('stubborn')
    const station = bench.work(
      async () => {
        if (station.runs.length === 1) await gate.promise
        return 'done'
      },
      { settings: { ...settings, handlers: { timeout: 300, grace: 300 } } },
    )
    await station.seen('clink.stuck', id)
    await bench.completed(bench.send('other'))
    expect(station.daemon.snapshot()).toMatchObject({ stuck: 1 })
    gate.resolve(undefined)
    await bench.completed(id)

    const [first, second] = station.runsOf(id)
    expect(first?.aborted?.code).toBe('timeout')
    expect(second?.start).toBeGreaterThanOrEqual(first?.end ?? Infinity)
    expect(times(bench.emulator, id, 'claimed')).toBe(1)
  })
})
