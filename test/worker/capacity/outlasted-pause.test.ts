import { expect, it } from 'vitest'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

const SECOND = 1_000

it('P6, §4: a pause that lasts too long is over for held clinks: no claim is made for the slots that they are about to need', async () => {
  const bench = new VirtualBench({
    settings: {
      concurrency: 4,
      inbox: { claim: 'select' },
      claim: { exclusive: true },
      retry: { attempts: 6, backoff: 4 * SECOND, maxBackoff: 4 * SECOND, outage: MINUTE },
      poll: { interval: SECOND, maxInterval: SECOND },
    },
    // Time enough for a held clink to fall due while a claim is on its way.
    spoil: (inner) => ({
      send: async (request) => {
        const answer = await inner.send(request)
        await new Promise<void>((resolve) => bench.time.at(bench.time.now + SECOND / 2, resolve))
        return answer
      },
    }),
    handle: async (_, { signal }) => {
      await bench.take(3 * SECOND, signal)
      throw new Error('what the handler needs is away')
    },
  })
  for (let n = 0; n < 200; n += 1) bench.send(`clink ${n}`)
  await bench.pass(10 * MINUTE)

  expect(bench.all('route.paused')).toHaveLength(1)
  expect(bench.all('route.resumed')).toEqual([])
  const seen = new Set<string>()
  const isFirst = ({ clink_id: id }: { readonly clink_id: string }): boolean => seen.size < seen.add(id).size
  const fresh = bench.all('clink.started').filter(({ clink }) => isFirst(clink))
  expect(fresh.length).toBeGreaterThan(30)
  expect(Math.max(...fresh.map(({ waited }) => waited))).toBeLessThan(100)
  await bench.stop()
})
