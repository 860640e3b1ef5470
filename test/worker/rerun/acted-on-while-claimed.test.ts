import { describe, expect, it } from 'vitest'
import { answer, MINUTE, VirtualBench } from '../../support/virtual.ts'

describe('P1, P5: a clink that is claimed to tell its sender that it has failed', () => {
  it.each([
    { acts: 'retries', reruns: 1 },
    { acts: 'discards', reruns: 0 },
  ] as const)(
    'is not run under that claim where somebody $acts its letter while it waits for its route',
    async ({ acts, reruns }) => {
      let [id, isAway] = ['', true]
      const bench = new VirtualBench({
        switches: { defaultTimeout: 20, maxTimeout: 'cap:20' },
        settings: {
          concurrency: 2,
          inbox: { claim: 'batch' },
          claim: { timeout: 20_000 },
          retry: { attempts: 1, onExhausted: 'complete' },
        },
        weather: ({ path }) =>
          isAway && /\/(claim|complete)$/.test(path) && path.includes(id) ? answer(503) : undefined,
        limits: { concurrency: 1 },
        handle: async ({ content }, ctx) => {
          if (content === 'work' && isAway) throw new Error('the first error')
          if (content === 'long') await bench.take(30_000, ctx.signal)
          return 'done after all'
        },
      })
      id = bench.send('work')
      while (bench.all('clink.settlementFailed').length === 0) await bench.pass(100)
      bench.send('long')
      while (bench.all('clink.lost').length === 0) await bench.pass(100)
      isAway = false
      const claims = (): number => bench.all('clink.claimed').filter(({ clink }) => clink.clink_id === id).length
      while (claims() < 2) await bench.pass(10)
      const { letters } = bench.ledger
      await (acts === 'retries' ? letters.retry(id) : letters.discard(id))
      bench.daemon.retried(id)
      await bench.pass(2 * MINUTE)

      expect(bench.all('clink.started').map(({ clink }) => clink.content)).toEqual(['work', 'long'])
      expect(bench.all('clink.rerunDone')).toHaveLength(reruns)
      await bench.stop()
    },
  )
})
