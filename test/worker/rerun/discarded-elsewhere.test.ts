import { expect, it } from 'vitest'
import type { Fleet } from '../../../src/ledger/fleet.ts'
import { BareFleet } from '../../support/bare-fleet.ts'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

/** Another member has discarded the letter. This one hears of it when it looks who else has begun its rerun. */
class Discarding extends BareFleet {
  #hear: Parameters<Fleet['onLetter']>[0] = () => {}
  #hasBegun = false
  override readonly onLetter: Fleet['onLetter'] = (changed) => (this.#hear = changed)
  override readonly begun: Fleet['begun'] = async (_, here) => {
    await here
    this.#hasBegun = true
  }

  constructor() {
    super()
    this.paused = []
  }

  override readonly recall: Fleet['recall'] = async ([id = '']) => {
    const letter = this.tables.letters.get(id)
    if (letter?.rerun?.step !== 'running' || !this.#hasBegun) return
    const { rerun: _, ...rest } = letter
    const discarded = { ...rest, discarded: true as const }
    await this.tables.letters.set(id, discarded)
    this.#hear(id, discarded)
  }
}

it('P10: a letter that another member of a fleet has discarded is not run again, though its start was noted before that was known', async () => {
  const bench = new VirtualBench({
    fleet: new Discarding(),
    settings: { retry: { attempts: 1, onExhausted: 'complete' } },
    handle: async () => await Promise.reject(new Error('it failed')),
  })
  const id = bench.send('work')
  while (bench.all('clink.completed').length === 0) await bench.pass(100)
  expect(await bench.ledger.retry(id)).toBe('rerun')
  bench.daemon.retried(id)
  await bench.pass(MINUTE)
  expect(bench.ledger.letters.get(id)).toBeUndefined()
  expect(bench.all('clink.started').length).toBe(1)
  expect(bench.all('clink.rerun')).toEqual([])
  expect(bench.daemon.worker.report().slots.taken).toBe(0)
  await bench.stop()
})
