import { expect, it } from 'vitest'
import { ClinkClient, type CallOptions } from '../../../src/clink/client.ts'
import { Bench, until } from '../../support/harness.ts'
import { requests, story } from '../../support/record.ts'

const WAY = 'a client of its own, with its own session: new ClinkClient({ key, sessionId })'

it.for<[string, string, (api: ClinkClient, options: CallOptions) => Promise<unknown>]>([
  ['claimClink', 'claim_clink', async (api) => await api.claimClink({ clink_id: 'msg_1' })],
  ['call("claim_clink")', 'claim_clink', async (api) => await api.call('claim_clink', { clink_id: 'msg_1' })],
  ['checkInbox with claim', 'check_inbox', async (api) => await api.checkInbox({ claim: true })],
])('§1: ctx.api refuses %s before any request, and says what to do instead', async ([, operation, claim]) => {
  await using bench = await Bench.open()
  const error = Promise.withResolvers<unknown>()
  bench.work(async (_, { api }) => {
    error.resolve(await claim(api, {}).catch((thrown: unknown) => thrown))
  })
  const id = bench.send('claims for itself')
  const before = requests(bench.emulator, operation).length
  expect(await error.promise).toMatchObject({ code: 'USAGE', message: expect.stringContaining(operation) as string })
  expect(await error.promise).toMatchObject({ message: expect.stringContaining(WAY) as string })
  await bench.completed(id)

  if (operation === 'claim_clink') expect(requests(bench.emulator, operation)).toHaveLength(before)
  expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
})

it('§1: what a handler claims by a client of its own is neither run nor taken up (P3, P7)', async () => {
  await using bench = await Bench.open()
  let theirs = ''
  const station = bench.work(
    async ({ content }) => {
      if (content !== 'claims') return
      const own = new ClinkClient({ key: bench.emulator.key, url: bench.emulator.url })
      theirs = bench.send('theirs')
      await own.claimClink({ clink_id: theirs })
      own.close()
    },
    { settings: { claim: { timeout: 60_000 }, concurrency: 1 } },
  )
  await bench.completed(bench.send('first'))
  await bench.completed(bench.send('claims'))
  bench.fault({ operation: 'check_inbox', times: 1 }, { cut: 'after' })
  const lost = bench.send('lost')
  await station.seen('poll.lost')
  // The next one finds out that claims by id are safe.
  await bench.completed([bench.send('next'), lost])
  const polls = station.all('poll.succeeded').length
  await until(() => station.all('poll.succeeded').length > polls + 3, 'more polls')

  expect(station.all('clink.takenUp').map(({ clink }) => clink.clink_id)).toEqual([lost])
  expect(station.runsOf(theirs)).toEqual([])
  expect(story(bench.emulator, theirs)).toEqual(['created', 'claimed'])
})

it('§1: ctx.api lists and reads as any client does', async () => {
  await using bench = await Bench.open()
  let listed: readonly string[] = []
  bench.work(async (_, { api }) => {
    listed = (await api.checkInbox({ status: 'claimed', claim: false })).clinks.map(({ clink_id }) => clink_id)
  })
  const id = bench.send('looks')
  await bench.completed(id)

  expect(listed).toContain(id)
})
