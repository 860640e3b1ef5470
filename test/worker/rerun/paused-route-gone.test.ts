import { describe, expect, it } from 'vitest'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

const alice = { by: 'alice' }

/** A worker with a dead letter that waits, since its route is paused. */
async function benchOf(): Promise<VirtualBench> {
  let isMended = false
  const bench = new VirtualBench({
    settings: { retry: { attempts: 1, onExhausted: 'complete' } },
    handle: async () => await (isMended ? Promise.resolve('done') : Promise.reject(new Error('bad'))),
  })
  const id = bench.send('clink')
  await bench.pass(MINUTE)
  isMended = true
  await bench.daemon.worker.pauses.pause({ ...alice, route: 'test' }, undefined)
  await bench.ledger.letters.retry(id)
  bench.daemon.retried(id)
  await bench.pass(MINUTE)
  expect([bench.all('clink.deadLettered').length, bench.all('clink.started').length]).toEqual([1, 1])
  const { notWorked } = bench.daemon.worker.report()
  expect(notWorked).toEqual([{ route: 'test', sender: null, why: 'paused', isParked: false, count: 1, left: null }])
  expect(bench.daemon.worker.gauges().deadLetters).toBe(0)
  return bench
}

const done = (bench: VirtualBench) => bench.all('clink.rerunDone').map(({ route }) => route)

describe('a letter that waits for its paused route', () => {
  it('runs by the route that takes its clink from a reload on, though the pause stays', async () => {
    const bench = await benchOf()
    bench.reload({ name: 'other' })
    await bench.pass(3_000)
    expect(done(bench)).toEqual(['other'])
    await bench.stop()
  })

  it('waits on where that one is paused as well, until it is resumed', async () => {
    const bench = await benchOf()
    const { pauses } = bench.daemon.worker
    await pauses.pause({ ...alice, route: 'other' }, undefined)
    bench.reload({ name: 'other' })
    await bench.pass(MINUTE)
    expect(done(bench)).toEqual([])
    await pauses.resume('other')
    await bench.pass(3_000)
    expect(done(bench)).toEqual(['other'])
    await bench.stop()
  })

  it('waits on where the route is still its own after a reload', async () => {
    const bench = await benchOf()
    bench.reload({})
    await bench.pass(MINUTE)
    expect(done(bench)).toEqual([])
    bench.reload({ name: 'other' })
    await bench.pass(3_000)
    expect(done(bench)).toEqual(['other'])
    await bench.stop()
  })

  it('waits on where everything is paused', async () => {
    const bench = await benchOf()
    const { pauses } = bench.daemon.worker
    await pauses.pause(alice, undefined)
    bench.reload({ name: 'other' })
    await bench.pass(MINUTE)
    expect(done(bench)).toEqual([])
    await pauses.resume(undefined)
    await bench.pass(3_000)
    expect(done(bench)).toEqual(['other'])
    await bench.stop()
  })
})
