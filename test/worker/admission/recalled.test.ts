import { expect, it, vi } from 'vitest'
import { VirtualBench } from '../../support/virtual.ts'

const CLINKS = 4

it('what is remembered of a page is recalled in one call, and the work on its clinks reads nothing else of the ledger', async () => {
  const bench: VirtualBench = new VirtualBench({
    settings: { concurrency: CLINKS, retry: { backoff: 1_000 } },
    handle: async (_, { attempt }) => {
      if (attempt < 3) throw new Error('not yet')
      return await Promise.resolve('done')
    },
  })
  const recall = vi.spyOn(bench.ledger, 'recall')
  const recallOne = vi.spyOn(bench.ledger, 'recallOne')
  const asked = vi.spyOn(bench.ledger, 'attemptsOf')
  const ids = Array.from({ length: CLINKS }, (_, n) => bench.send(`work ${n}`))
  while (bench.all('clink.completed').length < CLINKS) await bench.pass(1_000)
  expect(recall.mock.calls.filter(([page]) => page.length > 0)).toEqual([[ids]])
  // Once with its page, and once when it is taken: meanwhile its id may have been told.
  expect(recallOne).toHaveBeenCalledTimes(CLINKS)
  expect(bench.all('clink.started')).toHaveLength(3 * CLINKS)
  expect(asked).not.toHaveBeenCalled()
  await bench.stop()
})
