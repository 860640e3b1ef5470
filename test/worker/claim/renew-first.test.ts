import { describe, expect, it } from 'vitest'
import { Bench } from '../../support/harness.ts'
import { story, times } from '../../support/record.ts'

describe('renewFirst of a route (P2)', () => {
  it('has the claim renewed before the handler starts', async () => {
    await using bench = await Bench.open()
    const id = bench.send('dear')
    bench.work(() => `${times(bench.emulator, id, 'renewed')} before`, { renewFirst: true })
    await bench.completed(id)
    expect(bench.emulator.clinks().map(({ content }) => content)).toContain('1 before')
  })

  it('starts nothing while the renewal fails', async () => {
    await using bench = await Bench.open()
    const away = bench.fault({ operation: 'claim_clink' }, { status: 503 })
    const id = bench.send('dear')
    const station = bench.work(() => 'done', { renewFirst: true })
    await station.seen('clink.renewalFailed', id)
    expect(station.runs).toEqual([])
    away.remove()
    await bench.completed(id)
  })

  it('starts nothing where the service refuses the renewal: the clink is left to expire', async () => {
    await using bench = await Bench.open({ switches: { reclaim: 'refuse', defaultTimeout: 3 } })
    const id = bench.send('dear')
    const station = bench.work(() => 'done', { renewFirst: true })
    const { why } = await station.seen('clink.leftToExpire', id)
    expect(why).toMatch(/^its route has claims renewed first, and to a renewal the service answered 409$/)
    expect([station.runs, story(bench.emulator, id).slice(0, 2)]).toEqual([[], ['created', 'claimed']])
    expect(times(bench.emulator, id, 'released')).toBe(0)
  })

  it('is no matter of other routes', async () => {
    await using bench = await Bench.open()
    const id = bench.send('plain')
    bench.work(() => `${times(bench.emulator, id, 'renewed')} before`)
    await bench.completed(id)
    expect(bench.emulator.clinks().map(({ content }) => content)).toContain('0 before')
  })
})
