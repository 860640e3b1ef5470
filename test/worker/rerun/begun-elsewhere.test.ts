import { expect, it } from 'vitest'
import type { Fleet } from '../../../src/ledger/fleet.ts'
import { BareFleet } from '../../support/bare-fleet.ts'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

/** Another member has begun the rerun of every letter. This one did not know that when it was asked for it. */
class Beginning extends BareFleet {
  hasBegun = false
  #hear: Parameters<Fleet['onLetter']>[0] = () => {}
  override readonly onLetter: Fleet['onLetter'] = (changed) => (this.#hear = changed)
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

  /** It has come to a result there, which the service has refused. The starts over the letter stay. */
  async end(id: string): Promise<void> {
    const letter = this.tables.letters.get(id)
    if (letter === undefined) return
    const refused = { ...letter, rerun: { step: 'refused', response: 'done there', by: 'another' } as const }
    await this.tables.letters.set(id, refused)
    this.#hear(id, refused)
  }
}

const settings = { concurrency: 1, retry: { attempts: 1, onExhausted: 'complete' } } as const

it('P1: a rerun that another member of a fleet has begun waits, and says what to do where that one is gone', async () => {
  const fleet = new Beginning()
  const bench = new VirtualBench({
    fleet,
    settings,
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

it('P1: a rerun that has waited for another member of a fleet sends the result that one has come to, when somebody asks for it once more', async () => {
  const fleet = new Beginning()
  const bench = new VirtualBench({
    fleet,
    settings,
    handle: async () => await Promise.reject(new Error('it failed')),
  })
  const id = bench.send('work')
  while (bench.all('clink.completed').length === 0) await bench.pass(100)
  expect(await bench.ledger.retry(id)).toBe('rerun')
  fleet.hasBegun = true
  bench.daemon.retried(id)
  await bench.pass(MINUTE)
  expect(bench.all('clink.held')).toHaveLength(1)
  await fleet.end(id)
  expect(await bench.ledger.retry(id)).toBe('rerun')
  bench.daemon.retried(id)
  await bench.pass(MINUTE)
  expect(bench.all('clink.rerun').map(({ step }) => step)).toEqual(['send'])
  expect(bench.all('clink.rerunDone').map(({ response }) => response)).toEqual(['done there'])
  expect(bench.all('clink.started')).toHaveLength(1)
  await bench.stop()
})
