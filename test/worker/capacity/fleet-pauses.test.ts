import { describe, expect, it } from 'vitest'
import type { FleetPause } from '../../../src/ledger/fleet.ts'
import { BareFleet } from '../../support/bare-fleet.ts'
import { story } from '../../support/record.ts'
import { benchOf, restart } from '../../support/paused.ts'
import { HOUR, MINUTE, type VirtualOptions } from '../../support/virtual.ts'

const SECOND = 1_000
const alice = { by: 'alice (uid 1000)', at: 1 }

/** What a worker sees of its fleet: it reads what stands in `paused`, where that is to be read. */
class SeenFleet extends BareFleet {
  says(...paused: readonly FleetPause[]): void {
    this.paused = paused
    this.read.say()
  }
}

function fleetBench(options: Partial<VirtualOptions> = {}) {
  const fleet = new SeenFleet()
  return Object.assign(benchOf({ fleet, ...options }), { fleet })
}

const always = { ...alice, left: undefined }

describe('a worker whose fleet is paused', () => {
  it('claims nothing from when it has seen it on, works what it has in hand, and goes on when it sees that it is over', async () => {
    const bench = fleetBench()
    const first = bench.send('first')
    await bench.pass(500)
    bench.fleet.says({ ...always, note: 'deploying' })
    bench.fleet.says({ ...always, note: 'deploying' })
    bench.send('second')
    await bench.pass(HOUR)
    expect(bench.ran).toEqual(['first'])
    expect(story(bench.emulator, first)).toEqual(['created', 'claimed', 'completed'])
    expect(bench.daemon.readiness()).toEqual({
      ready: false,
      reasons: ['its fleet is paused (by alice (uid 1000): deploying)'],
    })
    expect(bench.all('fleet.paused')).toMatchObject([{ by: alice.by, note: 'deploying' }])
    bench.fleet.says()
    await bench.pass(5 * SECOND)
    expect(bench.ran).toEqual(['first', 'second'])
    expect(bench.all('fleet.resumed')).toHaveLength(1)
    expect(bench.daemon.readiness().ready).toBe(true)
    await bench.stop()
  })

  it('is not resumed by an operator of its own, and may be paused by one as well', async () => {
    const bench = fleetBench()
    const { pauses } = bench.daemon.worker
    await bench.pass(SECOND)
    bench.fleet.says(always)
    await pauses.pause({ by: 'bob' }, undefined)
    bench.send('waits')
    expect(bench.daemon.readiness().reasons).toEqual([
      'it is paused (by bob); its fleet is paused (by alice (uid 1000))',
    ])
    expect(await pauses.resume(undefined)).toBe(true)
    expect(await pauses.resume(undefined)).toBe(false)
    await bench.pass(MINUTE)
    expect(bench.ran).toEqual([])
    await pauses.pause({ by: 'bob' }, undefined)
    bench.fleet.says()
    await bench.pass(MINUTE)
    expect([bench.ran, bench.daemon.readiness().reasons]).toEqual([[], ['it is paused (by bob)']])
    await pauses.resume(undefined)
    await bench.pass(5 * SECOND)
    expect(bench.ran).toEqual(['waits'])
    await bench.stop()
  })

  it('is so after a restart as well, where it cannot ask its fleet: for as long as was left of it', async () => {
    const bench = fleetBench()
    await bench.pass(SECOND)
    bench.fleet.says({ ...alice, left: HOUR })
    bench.send('waits')
    bench.fleet.paused = undefined
    await restart(bench, 10 * MINUTE)
    expect(bench.all('fleet.paused')).toMatchObject([{ left: HOUR }, { left: expect.closeTo(49 * MINUTE, -5) }])
    await bench.pass(48 * MINUTE)
    expect(bench.ran).toEqual([])
    await bench.pass(3 * MINUTE)
    expect(bench.ran).toEqual(['waits'])
    expect(bench.ledger.fleetPauses?.kept.all()).toEqual([])
    await bench.stop()
  })

  it('goes by what its fleet says where it can be asked at the start', async () => {
    const bench = fleetBench()
    await bench.pass(SECOND)
    bench.fleet.says(always)
    bench.send('waits')
    bench.fleet.paused = []
    await restart(bench)
    await bench.pass(5 * SECOND)
    expect(bench.ran).toEqual(['waits'])
    bench.fleet.paused = [{ ...always, at: 2 }]
    await restart(bench)
    bench.send('later')
    await bench.pass(MINUTE)
    expect([bench.ran, bench.all('fleet.paused').length]).toEqual([['waits'], 2])
    await bench.stop()
  })

  it('ends it by itself when its time is over, and takes an end that was moved', async () => {
    const bench = fleetBench()
    await bench.pass(SECOND)
    bench.fleet.says({ ...alice, left: MINUTE })
    bench.send('waits')
    await bench.pass(30 * SECOND)
    bench.fleet.says({ ...alice, left: HOUR })
    await bench.pass(58 * MINUTE)
    expect(bench.ran).toEqual([])
    await bench.pass(3 * MINUTE)
    expect([bench.ran, bench.all('fleet.paused').length, bench.all('fleet.resumed').length]).toEqual([['waits'], 1, 1])
    await bench.stop()
  })

  it('works what its other routes take', async () => {
    const bench = fleetBench({ settings: { claim: { exclusive: true } }, limits: {} })
    await bench.pass(SECOND)
    bench.fleet.says({ ...always, route: 'test' })
    const held = bench.send('held')
    bench.send('free 1')
    await bench.pass(MINUTE)
    expect(bench.ran).toEqual(['free 1'])
    expect(story(bench.emulator, held)).toEqual(['created'])
    expect(bench.daemon.readiness()).toEqual({ ready: true, reasons: [] })
    bench.fleet.says({ ...always, route: 'test' }, { ...always, route: 'free' })
    expect(bench.daemon.readiness().reasons).toEqual([
      'all its routes are paused: test in the fleet (by alice (uid 1000)); free in the fleet (by alice (uid 1000))',
    ])
    bench.fleet.says()
    await bench.pass(5 * SECOND)
    expect(bench.ran).toEqual(['free 1', 'held'])
    await bench.stop()
  })
})
