import { expect, it } from 'vitest'
import type { Fleet } from '../../../src/ledger/fleet.ts'
import { BareFleet } from '../../support/bare-fleet.ts'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

/** Another member has begun the rerun of every letter. This one did not know that when it was asked for it. */
class Beginning extends BareFleet {
  hasBegun = false
  override readonly of: Fleet['of'] = (id) => {
    const letter = this.tables.letters.get(id)
    if (letter === undefined || !this.hasBegun) return 'none'
    const attempts = { count: 1, errors: [], excused: 0, outlived: 0, released: 0 }
    return { attempts, begun: [{ letter: letter.at, by: 'another' }], overLetters: [] }
  }

  constructor() {
    super()
    this.paused = []
  }
}

it('P1: a rerun that another member of a fleet has begun waits, and says what to do where that one is gone', async () => {
  const fleet = new Beginning()
  const bench = new VirtualBench({
    fleet,
    settings: { concurrency: 1, retry: { attempts: 1, onExhausted: 'complete' } },
    handle: async ({ content }) => {
      await Promise.resolve()
      if (content === 'work') throw new Error('it failed')
    },
  })
  const id = bench.send('work')
  while (bench.all('clink.completed').length === 0) await bench.pass(100)
  expect(await bench.ledger.retry(id)).toBe('rerun')
  fleet.hasBegun = true
  bench.daemon.retried(id)
  await bench.pass(MINUTE)
  expect(bench.all('clink.rerun')).toEqual([])
  const held = bench.all('clink.held').map(({ why }) => why)
  expect(held).toEqual([expect.stringMatching(/another worker of the fleet has begun.*failed retry/)])
  // It wants no slot meanwhile.
  const other = bench.send('other')
  await bench.pass(10 * MINUTE)
  expect(bench.all('clink.completed').map(({ clink }) => clink.clink_id)).toEqual([id, other])
  expect(bench.daemon.liveness().alive).toBe(true)
  fleet.hasBegun = false
  await bench.pass(MINUTE)
  expect(bench.all('clink.rerun').length).toBe(1)
  await bench.stop()
})
