import { describe, expect, it } from 'vitest'
import type { Settings } from '../../support/settings.ts'
import { Bench, until } from '../../support/harness.ts'
import { claimedAt, claimingPolls } from '../../support/record.ts'

/** Resolves when the worker has asked `count` times more and got nothing to run. */
async function rests(bench: Bench, count = 6): Promise<void> {
  const polls = claimingPolls(bench.emulator).length
  await until(() => claimingPolls(bench.emulator).length >= polls + count, `${count} more polls`)
}

const answerAll: Settings = { poll: { interval: 20, maxInterval: 100 } }

describe.concurrent('P15, §5: a worker that answers everything, with its own key as the sender', () => {
  it.for([
    {},
    { responseId: 'absent' },
    { responseText: 'trimmed' },
    { ownClinks: 'hidden' },
    { claimTimes: 'absent' },
    { pollRecords: 'snapshot' },
    { responseId: 'absent', responseText: 'trimmed', pollRecords: 'snapshot' },
  ] as const)('runs each clink once and rests (%o)', async (switches) => {
    await using bench = await Bench.open({ switches })
    const ids = bench.sendMany(5, { from: 'worker' })
    const station = bench.work(() => 'an answer\n', { settings: answerAll })
    if ('ownClinks' in switches) {
      await bench.completed(bench.send('from somebody else'))
      await rests(bench)
      expect(station.runs).toHaveLength(1)
      expect(bench.emulator.clinks()).toHaveLength(7)
      return
    }
    await bench.completed(ids)
    await rests(bench)

    expect(station.runs.map(({ id }) => id).sort()).toEqual([...ids].sort())
    expect(bench.emulator.clinks()).toHaveLength(10)
  })

  it('does not run the answers of another worker of ours either', async () => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(6, { from: 'worker' })
    const stations = [1, 2].map(() => bench.work(() => 'an answer', { settings: { ...answerAll, concurrency: 2 } }))
    await bench.completed(ids)
    await rests(bench, 12)

    expect(stations.flatMap(({ runs }) => runs.map(({ id }) => id)).sort()).toEqual([...ids].sort())
    expect(bench.emulator.clinks()).toHaveLength(12)
  })

  it('does not run what a new process finds of the old one', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 1 } })
    const ids = bench.sendMany(3, { from: 'worker' })
    const first = bench.work(() => 'an answer', { settings: answerAll })
    await bench.completed(ids)
    await first.daemon.stop('test')
    const second = bench.work(() => 'an answer', { settings: answerAll })
    await rests(bench)

    expect(second.runs).toEqual([])
    expect(bench.emulator.clinks()).toHaveLength(6)
  })

  it('does not run its own progress reports, to the sender or to the group', async () => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(2, { from: 'worker' })
    const other = bench.send('from bob')
    const station = bench.work(
      async (_, ctx) => {
        await ctx.reply('half way')
        await ctx.reply('half way, all of you', { to: 'group' })
      },
      { settings: answerAll },
    )
    await bench.completed([...ids, other])
    await rests(bench)

    expect(station.runs.map(({ id }) => id).sort()).toEqual([...ids, other].sort())
  })

  it('completes its own replies without a response where it is told to', async () => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(4, { from: 'worker' })
    const station = bench.work(() => 'an answer', {
      settings: { ...answerAll, inbox: { ownReplies: 'acknowledge' } },
    })
    await bench.completed(ids)
    await until(() => bench.emulator.clinks().every(({ status }) => status === 'completed'), 'all are completed')
    await rests(bench)

    expect(station.runs).toHaveLength(4)
    expect(bench.emulator.clinks()).toHaveLength(8)
  })

  it('goes on with its work while the service does not take that (P12)', async () => {
    await using bench = await Bench.open()
    const reply = bench.send('an answer\n— clink-worker', { from: 'worker' })
    const refusing = bench.fault({ operation: 'complete_clink', path: `*${reply}*` }, { status: 503 })
    const station = bench.work(() => 'an answer', {
      settings: { ...answerAll, inbox: { ownReplies: 'acknowledge' } },
    })
    await until(() => refusing.hits > 0, 'its own reply is to be completed')
    const other = bench.send('from bob')
    await bench.completed(other)

    expect(bench.status(reply)).toBe('claimed')
    refusing.remove()
    await bench.completed(reply)
    expect(station.runsOf(reply)).toEqual([])
  })

  it('leaves them to their lease where it is not, and keeps no slot for them', async () => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(8, { from: 'worker' })
    const station = bench.work(() => 'an answer', { settings: { ...answerAll, concurrency: 2 } })
    await bench.completed(ids)
    await until(() => claimedAt(bench.emulator, Infinity) === 8, 'its own replies are parked')
    await bench.completed(bench.send('from bob'))

    expect(station.runs).toHaveLength(9)
  })

  it('works what its own key sent that is not a reply', async () => {
    await using bench = await Bench.open()
    const first = bench.send('hello', { from: 'worker' })
    const station = bench.work(() => undefined)
    await bench.completed(first)
    await bench.completed(bench.send('hello again', { from: 'worker' }))

    expect(station.runs).toHaveLength(2)
  })
})
