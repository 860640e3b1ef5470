import { describe, expect, it } from 'vitest'
import type { ClinkClient } from '../../src/clink/client.ts'
import type { FaultAction } from '../../src/emulator/emulator.ts'
import { Bench, until, type Station } from './harness.ts'
import { isClaimingPoll, isLookForClaims, requests, story } from './record.ts'

/** One slot: the worker does not poll while a handler runs. */
const batch = { claim: { exclusive: true, timeout: 60_000 }, concurrency: 1 } as const
const select = { ...batch, inbox: { claim: 'select' }, poll: { sweep: 200 } } as const
const bob = { by: 'user_bob', key: 'bob', session: 'web' } as const

/** A worker that has claimed before, and one of whose clinks has had its handler do something through `ctx.api`. */
async function acted(bench: Bench, settings: object, act: (api: ClinkClient) => Promise<unknown>): Promise<Station> {
  const station = bench.work(
    async ({ content }, ctx) => {
      if (content === 'acts') await act(ctx.api).catch(() => {})
    },
    { settings },
  )
  await bench.completed(bench.send('first'))
  await bench.completed(bench.send('acts'))
  return station
}

/** Sends a clink that a poll claims whose answer is cut. */
async function losePoll(bench: Bench, station: Station): Promise<string> {
  bench.fault({ operation: 'check_inbox', times: 1 }, { cut: 'after' })
  const id = bench.send('lost')
  await station.seen('poll.lost')
  return id
}

describe.concurrent('§1: what a handler claims through ctx.api', () => {
  it('is not taken up, by a claim or by a claiming poll (P7)', async () => {
    await using bench = await Bench.open()
    const theirs: string[] = []
    const station = await acted(bench, batch, async (api) => {
      theirs.push(bench.send('claimed'))
      await api.claimClink({ clink_id: theirs[0] ?? '' })
      theirs.push(bench.send('polled'))
      await api.checkInbox({ claim: true })
    })
    const lost = await losePoll(bench, station)
    await bench.completed(lost)
    await until(() => requests(bench.emulator, 'check_inbox').filter(isClaimingPoll).length > 4, 'more polls')

    expect(station.all('clink.takenUp').map(({ clink }) => clink.clink_id)).toEqual([lost])
    for (const id of theirs) {
      expect(station.runsOf(id)).toEqual([])
      expect(story(bench.emulator, id)).toEqual(['created', 'claimed'])
    }
  })

  it('and whose answer it does not get, is not taken up either (P7)', async () => {
    await using bench = await Bench.open()
    const theirs: string[] = []
    const station = await acted(bench, batch, async (api) => {
      theirs.push(bench.send('claimed'))
      bench.fault({ operation: 'claim_clink', times: 1 }, { status: 500, effect: true })
      await api.claimClink({ clink_id: theirs[0] ?? '' }, { attempts: 1 }).catch(() => {})
      theirs.push(bench.send('polled'))
      bench.fault({ operation: 'check_inbox', times: 1 }, { cut: 'after' })
      await api.checkInbox({ claim: true })
    })
    await losePoll(bench, station)
    await until(() => requests(bench.emulator, 'check_inbox').filter(isLookForClaims).length > 2, 'it is looked for')

    expect(station.all('clink.takenUp')).toEqual([])
    for (const id of theirs) expect(story(bench.emulator, id)).toEqual(['created', 'claimed'])
  })

  it('with a poll that overtakes a claim by id is not run as well (P3)', async () => {
    await using bench = await Bench.open()
    let overtaken = ''
    const page = Promise.withResolvers<readonly string[]>()
    const station = bench.work(
      async ({ content }, ctx) => {
        if (content !== 'polls') return
        overtaken = bench.send('overtaken')
        const slow = bench.fault({ operation: 'claim_clink', path: `*${overtaken}*` }, { delayBefore: 400 })
        await until(() => slow.hits === 1, 'the worker claims it by id')
        bench.fault({ operation: 'check_inbox', times: 1 }, { delayAfter: 800 })
        const { clinks } = await ctx.api.checkInbox({ claim: true })
        page.resolve(clinks.map(({ clink_id }) => clink_id))
      },
      { settings: { ...select, concurrency: 2 } },
    )
    await bench.completed(bench.send('first'))
    bench.send('polls')
    expect(await page.promise).toEqual([overtaken])
    await station.seen('clink.leftToExpire', overtaken)

    expect(station.runsOf(overtaken)).toEqual([])
    expect(story(bench.emulator, overtaken)).toEqual(['created', 'claimed'])
  })

  it('and released, is anybody’s: a later claim of the worker’s on it is taken up', async () => {
    await using bench = await Bench.open()
    let id = ''
    const station = await acted(bench, batch, async (api) => {
      id = bench.send('given back')
      await api.claimClink({ clink_id: id })
      bench.fault({ operation: 'check_inbox', times: 1 }, { cut: 'after' })
      await api.releaseClink({ clink_id: id })
    })
    await bench.completed(id)

    expect(station.all('poll.lost')).toHaveLength(1)
    expect(station.all('clink.takenUp', id)).toHaveLength(1)
    expect(station.runsOf(id)).toHaveLength(1)
  })

  it('stops no look by a poll that was refused (P7)', async () => {
    await using bench = await Bench.open()
    const station = await acted(bench, batch, async (api) => {
      bench.fault({ operation: 'check_inbox', times: 1 }, { status: 400 })
      await api.checkInbox({ claim: true })
    })
    const id = await losePoll(bench, station)
    await bench.completed(id)

    expect(station.all('clink.takenUp', id)).toHaveLength(1)
    expect(station.runsOf(id)).toHaveLength(1)
  })

  it.for<[string, number | undefined]>([
    ['was refused to it', 1_500],
    ['ran out', undefined],
  ])('and %s, is worked once it is pending again', async ([, heldByBob]) => {
    await using bench = await Bench.open()
    let id = ''
    const station = await acted(bench, select, async (api) => {
      id = bench.send('wanted')
      const at = bench.emulator.now()
      if (heldByBob !== undefined)
        bench.emulator.changeClink(id, { status: 'claimed', claim: { ...bob, at, expires: at + heldByBob } })
      await api.claimClink({ clink_id: id, timeout_seconds: 1 })
    })
    await bench.completed(id)

    expect(station.runsOf(id)).toHaveLength(1)
  })

  it.for<[string, FaultAction]>([
    ['is answered late', { delayAfter: 500 }],
    ['loses its answer', { cut: 'after' }],
  ])('by a claim that %s, after the worker has listed it, is not claimed by the worker', async ([, effect]) => {
    await using bench = await Bench.open()
    let id = ''
    const settings = { ...select, concurrency: 2, poll: { sweep: 60_000 } }
    const station = await acted(bench, settings, async (api) => {
      // The list shows the clink as pending, and comes after the handler has claimed it.
      bench.fault({ operation: 'check_inbox', times: 1 }, { delayAfter: 700 })
      const before = requests(bench.emulator, 'check_inbox').length
      id = bench.send('theirs')
      await until(() => requests(bench.emulator, 'check_inbox').length > before, 'it is listed')
      bench.fault({ path: `/clinks/${id}/claim`, nth: 1 }, effect)
      await api.claimClink({ clink_id: id }, { attempts: 1 })
    })
    const polls = station.all('poll.succeeded').length
    await until(() => station.all('poll.succeeded').length > polls + 3, 'the list has come')

    expect(requests(bench.emulator, 'claim_clink').filter(({ path }) => path.includes(id))).toHaveLength(1)
    expect(station.runsOf(id)).toEqual([])
  })
})
