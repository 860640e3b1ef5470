import { expect, it } from 'vitest'
import type { Fleet } from '../../../src/ledger/fleet.ts'
import { BareFleet } from '../../support/bare-fleet.ts'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

/** Another member tells late that it has started a clink which was given up meanwhile. */
class TellingLate extends BareFleet {
  override readonly of: Fleet['of'] = (id) => {
    if (this.tables.letters.get(id) === undefined) return 'none'
    const attempts = { count: 1, errors: ['it failed there'], excused: 0, outlived: 0, released: 0 }
    return { attempts, begun: [], overLetters: [] }
  }

  constructor() {
    super()
    this.paused = []
  }
}

it('P1: a letter is run again though another member of a fleet tells late that it had started its clink before', async () => {
  const bench = new VirtualBench({
    fleet: new TellingLate(),
    settings: { retry: { attempts: 1, onExhausted: 'complete' } },
    handle: async () => await Promise.reject(new Error('it failed')),
  })
  const id = bench.send('work')
  while (bench.all('clink.completed').length === 0) await bench.pass(100)
  for (const runs of [1, 2]) {
    expect(await bench.ledger.retry(id)).toBe('rerun')
    bench.daemon.retried(id)
    await bench.pass(MINUTE)
    const reruns = bench.all('clink.rerun')
    expect([reruns.length, reruns.at(-1)?.attempt]).toEqual([runs, 1])
    expect(bench.ledger.letters.get(id)).toMatchObject({ attempts: 1, errors: ['it failed'] })
  }
  await bench.stop()
})
