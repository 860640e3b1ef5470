import { expect, it } from 'vitest'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

it('P5, §5: a kept result that a renewal shows as completed was sent by the process that died', async () => {
  const settings = { concurrency: 2 }
  const over = Promise.withResolvers<string>()
  let processes = 0
  let isDead = false
  const bench = new VirtualBench({
    settings,
    // The first process dies while its completion is being answered.
    spoil: (inner) => {
      processes += 1
      const isFirst = processes === 1
      return {
        send: async (request) => {
          const received = isFirst && isDead ? undefined : await inner.send(request)
          if (isFirst && request.path.endsWith('/complete')) isDead = true
          return received === undefined || (isFirst && isDead) ? await new Promise(() => {}) : received
        },
      }
    },
    handle: async ({ content }) => (content === 'long' ? await over.promise : 'done'),
  })
  bench.send('long')
  const id = bench.send('quick')
  while (!bench.sent.some(({ path }) => path.endsWith('/complete'))) await bench.pass(10)
  // It waits for the seat of the other one, and is renewed meanwhile.
  settings.concurrency = 1
  bench.begin()
  await bench.pass(2 * MINUTE)
  over.resolve('done')
  await bench.pass(MINUTE / 2)

  const of = (name: 'clink.lost' | 'clink.completed') => bench.all(name).filter(({ clink }) => clink.clink_id === id)
  expect(bench.sent.filter(({ path }) => path.endsWith(`/${id}/claim`)).length).toBeGreaterThan(0)
  expect(of('clink.lost')).toEqual([])
  expect(of('clink.completed')).toMatchObject([{ presumed: false }])
  expect(bench.ledger.late.all()).toEqual([])
  await bench.stop()
})
