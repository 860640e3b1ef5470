import { describe, expect, it } from 'vitest'
import type { Transport } from '../../../src/clink/transport.ts'
import { Bench, until } from '../../support/harness.ts'
import { claimingPolls, requests, story } from '../../support/record.ts'

const MARKED = 'Done.\n— clink-worker · hop 1'
const exclusive = { exclusive: true, timeout: 60_000 } as const

/** Changes each record in answers of one kind. */
function edited(path: RegExp, edit: (data: Record<string, unknown>) => void): (inner: Transport) => Transport {
  return (inner) => ({
    send: async (request) => {
      const response = await inner.send(request)
      if (!path.test(request.path) || response.status !== 200) return response
      const body = JSON.parse(response.body) as { data: Record<string, unknown> }
      edit(body.data)
      return { ...response, body: JSON.stringify(body) }
    },
  })
}

/** Claiming polls answer with clinks as they were, and no count. */
const silentPolls = edited(/^\/inbox\?.*claim=true/, (data) => {
  delete data['claimed_count']
})
const noOwners = edited(/\/clinks\/.*claim$/, (data) => {
  delete data['claimed_by']
})
const snapshots = { switches: { pollRecords: 'snapshot' } } as const

describe.concurrent('§8: pages that show clinks as they were, without a count', () => {
  it('are said and make the worker not ready; with auto clinks are claimed by id from then on', async () => {
    await using bench = await Bench.open(snapshots)
    const first = bench.send('first')
    const station = bench.work(() => 'done', { wrap: silentPolls, settings: { claim: exclusive } })
    const { reason } = await station.seen('worker.notReady')
    expect(reason).toContain('does not say which clinks a claiming poll has claimed')
    const polls = claimingPolls(bench.emulator).length
    const later = bench.send('later')
    await bench.completed(later)

    expect(claimingPolls(bench.emulator)).toHaveLength(polls)
    expect(station.runsOf(first).length).toBeLessThanOrEqual(1)
    await until(() => station.daemon.readiness().ready, 'ready, since claims by id tell')
  })

  it('leave a worker that may only poll not ready, and end --once with 78', async () => {
    await using bench = await Bench.open(snapshots)
    bench.send('work')
    const settings = { inbox: { claim: 'batch' } } as const
    const station = bench.work(() => 'done', { wrap: silentPolls, settings })
    await until(() => station.all('worker.notReady').length > 0, 'said')
    expect(station.daemon.readiness().ready).toBe(false)
    await station.close()

    bench.send('more')
    const once = bench.work(() => 'done', { wrap: silentPolls, settings, once: {} })
    expect(await once.ended()).toBe(78)
  })

  it('an empty inbox is ready', async () => {
    await using bench = await Bench.open(snapshots)
    const station = bench.work(() => 'done', { wrap: silentPolls })
    await until(() => station.daemon.readiness().ready, 'ready')

    expect(station.all('worker.notReady')).toEqual([])
  })
})

describe.concurrent('§8: select on a fresh state, where the first clinks end with the mark', () => {
  const settings = { inbox: { claim: 'select' }, claim: exclusive } as const

  it('finds out who we are by claiming one of them, works what others sent, and gives back what we sent', async () => {
    await using bench = await Bench.open()
    const own = bench.send(MARKED, { from: 'worker', for: 'worker' })
    const others = bench.send(MARKED)
    const station = bench.work(() => 'done', { settings })
    await bench.completed(others)

    await until(() => station.all('worker.identity').length > 0, 'known')
    await until(() => bench.status(own) === 'pending', 'given back')
    await until(() => station.daemon.readiness().ready, 'ready')
    expect(station.runsOf(own)).toEqual([])
    expect(story(bench.emulator, own).filter((what) => what === 'claimed').length).toBeLessThanOrEqual(1)
  })

  it('says so and is not ready where the service does not tell, without claiming in a circle', async () => {
    await using bench = await Bench.open()
    const id = bench.send(MARKED)
    const station = bench.work(() => 'done', { settings: { ...settings, poll: { sweep: 100 } }, wrap: noOwners })
    const { advice } = await station.seen('worker.notReady')
    expect(advice).toContain('clink.identity')
    const polls = station.all('poll.succeeded').length
    await until(() => station.all('poll.succeeded').length > polls + 10, 'some polls')

    expect(station.daemon.readiness()).toMatchObject({ ready: false })
    expect(station.runs).toEqual([])
    expect(requests(bench.emulator, 'claim_clink').filter(({ path }) => path.includes(id))).toHaveLength(1)
  })

  it('an inbox without them is ready', async () => {
    await using bench = await Bench.open()
    const station = bench.work(() => 'done', { settings, wrap: noOwners })
    await bench.completed(bench.send('plain'))

    expect(station.daemon.readiness().ready).toBe(true)
  })
})

it('§8: in batch mode a marked clink of which nobody can tell makes the worker not ready', async () => {
  await using bench = await Bench.open(snapshots)
  const id = bench.send(MARKED)
  const station = bench.work(() => 'done', { settings: { inbox: { claim: 'batch' } }, wrap: noOwners })
  await station.seen('clink.parked', id)

  expect(station.daemon.readiness().reasons.join()).toContain('clink.identity')
})

it('groups of which none exists make the worker not ready', async () => {
  await using bench = await Bench.open()
  const station = bench.work(() => 'done', { settings: { inbox: { groups: ['opps'] }, claim: exclusive } })
  await until(() => station.all('poll.succeeded').length > 1, 'polled')

  expect(station.daemon.readiness().reasons.join()).toContain('opps')
})
