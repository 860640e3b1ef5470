import { describe, expect, it } from 'vitest'
import { Bench, until } from './harness.ts'

describe.concurrent('P15, §5: agents that answer each other in a circle', () => {
  it('come to rest, loudly', async () => {
    await using bench = await Bench.open()
    const settings = { inbox: { loopLimit: { count: 5, window: 600_000 } } }
    const stations = ['worker', 'helper'].map((key) => bench.work(() => 'and you?', { key, settings }))
    const helper = bench.emulator.clink(bench.send('probe', { from: 'helper' }))?.sender_id
    if (helper === undefined) throw new Error('the emulator knows no helper')
    await until(() => stations.some((station) => station.all('sender.muted').length > 0), 'somebody is left alone')
    const runs = (): number => stations.reduce((sum, station) => sum + station.runs.length, 0)
    const start = performance.now()
    let [last, since] = [runs(), start]
    await until(() => {
      if (runs() !== last) [last, since] = [runs(), performance.now()]
      return performance.now() - since > 1_500
    }, 'nothing runs for a while')

    expect(last).toBeGreaterThan(4)
    expect(last).toBeLessThanOrEqual(16)
  })

  it('are told apart from a sender with a large backlog', async () => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(100)
    const station = bench.work(() => 'done', { settings: { concurrency: 10 } })
    await bench.completed(ids)

    expect(station.all('sender.muted')).toEqual([])
    expect(station.runs).toHaveLength(100)
  })

  it('are told apart from a sender that writes more without waiting for our answers', async () => {
    await using bench = await Bench.open()
    const settings = { inbox: { loopLimit: { count: 5, window: 600_000 } } }
    const ids = bench.sendMany(4)
    const station = bench.work(() => undefined, { settings })
    await bench.completed(ids)
    const more = bench.sendMany(20)
    await bench.completed(more)

    expect(station.all('sender.muted')).toEqual([])
    expect(station.runs).toHaveLength(24)
  })

  it('silence only the one sender', async () => {
    await using bench = await Bench.open()
    const settings = { inbox: { loopLimit: { count: 3, window: 600_000 } } }
    const station = bench.work(() => 'and you?', { settings })
    for (let n = 0; station.all('sender.muted').length === 0; n += 1) {
      if (n > 12) throw new Error('the circle is not noticed')
      const id = bench.send(`ping ${n}`, { from: 'helper' })
      await until(
        () => bench.status(id) === 'completed' || station.all('sender.muted').length > 0,
        'it is answered, or left alone',
      )
    }
    const helped = bench.send('one more', { from: 'helper' })
    await bench.completed(bench.send('from bob'))
    await until(() => station.all('clink.parked', helped).length > 0, 'the one more is parked')

    expect(station.runsOf(helped)).toEqual([])
  })
})
