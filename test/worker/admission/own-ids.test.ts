import { expect, it } from 'vitest'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { HOUR, MINUTE, VirtualBench } from '../../support/virtual.ts'

const ways = ['batch', 'select'] as const

it.each(ways)('ids of own clinks are kept while they may come back, and no longer (%s, P15, §5)', async (claim) => {
  const tables = memoryTables()
  const bench = new VirtualBench({
    tables,
    settings: { inbox: { claim }, claim: { exclusive: true } },
    handle: async () => 'an answer',
  })
  const asked = Array.from({ length: 20 }, () => bench.emulator.send('ops', 'work', { from: 'worker' }).clink_id)
  bench.send('work for somebody else')
  await bench.pass(5 * HOUR)
  const own = [...tables.own.entries()].map(([id]) => id)
  const answers = bench.emulator.clinks().filter(({ for: to }) => to === 'ap_worker')
  expect(own.toSorted()).toEqual(answers.map(({ clink_id }) => clink_id).toSorted())
  expect(own).toHaveLength(20)

  // Who waited for them reads them.
  for (const id of own) bench.emulator.changeClink(id, { status: 'completed', claim: undefined })
  await bench.pass(3 * HOUR)
  expect(tables.own.size).toBe(0)
  expect(bench.all('clink.completed').map(({ clink }) => clink.clink_id)).toEqual(expect.arrayContaining(asked))
  expect(bench.all('clink.started')).toHaveLength(21)
  await bench.stop()
  await bench.pass(MINUTE)
})

it('what is acknowledged is forgotten at once', async () => {
  const tables = memoryTables()
  const bench = new VirtualBench({
    tables,
    settings: { inbox: { ownReplies: 'acknowledge' } },
    handle: async () => 'an answer',
  })
  for (let n = 0; n < 20; n += 1) bench.emulator.send('ops', 'work', { from: 'worker' })
  await bench.pass(MINUTE)
  expect(bench.emulator.clinks().every(({ status }) => status === 'completed')).toBe(true)
  expect(tables.own.size).toBe(0)
  await bench.stop()
})

it.each(ways)('an own clink whose id is told while its claim is on its way is not run (%s, P15, §5)', async (claim) => {
  const isClaim = /claim$|claim=true/
  let heard = (): void => {}
  const isListed = new Promise<void>((resolve) => (heard = resolve))
  const bench = new VirtualBench({
    settings: { inbox: { claim }, claim: { exclusive: true } },
    // Its records do not show that it is ours, and the answer that names it comes after the request that claims it.
    spoil: (inner) => ({
      send: async (request) => {
        const answer = await inner.send(request)
        const isAnswer = request.path.endsWith('/complete')
        const isOurs = isClaim.test(request.path) && answer.body.includes('hop 1')
        if (isOurs) heard()
        if (isAnswer) await isListed
        if (isOurs) await new Promise<void>((resolve) => bench.time.at(bench.time.now + 1_000, resolve))
        return { ...answer, body: answer.body.replaceAll(/"sender_id":"ap_worker"(?=[^}]*hop 1)/g, '"sender_id":1001') }
      },
    }),
    handle: async () => 'an answer',
  })
  const asked = bench.emulator.send('ops', 'work', { from: 'worker' }).clink_id
  await bench.pass(MINUTE)
  expect(bench.all('clink.started').map(({ clink }) => clink.clink_id)).toEqual([asked])
  expect(bench.all('clink.completed')).toMatchObject([{ clink: { clink_id: asked } }])
  await bench.stop()
})
