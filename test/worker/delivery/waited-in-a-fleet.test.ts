import { expect, it } from 'vitest'
import { NONE } from '../../../src/ledger/remembered.ts'
import type { Fleet } from '../../../src/ledger/fleet.ts'
import type { Limits } from '../../../src/handlers/route.ts'
import { BareFleet } from '../../support/bare-fleet.ts'
import { VirtualBench } from '../../support/virtual.ts'

const SECOND = 1_000
const RUN = 5 * SECOND

/** A fleet that notes what it is asked, and says from when on another member has a result of each clink. */
class AskedFleet extends BareFleet {
  readonly asked: { readonly id: string; readonly at: number }[] = []
  now = (): number => 0
  resultsFrom = Infinity
  override readonly recall: Fleet['recall'] = async (ids) => {
    for (const id of ids) this.asked.push({ id, at: this.now() })
    await Promise.resolve()
  }
  override readonly of: Fleet['of'] = (id) => {
    const at = this.#readAt(id)
    if (at < this.resultsFrom) return 'none'
    const result = { content: 'work', response: 'theirs', leases: 0, at: 0 }
    return { attempts: NONE, begun: [], overLetters: [], result }
  }
  override readonly isOld: Fleet['isOld'] = (id) => this.now() - this.#readAt(id) > 250

  #readAt(clinkId: string): number {
    return this.asked.findLast(({ id }) => id === clinkId)?.at ?? -Infinity
  }
}

function benchOf(limits?: Limits, backoff = RUN) {
  const fleet = new AskedFleet()
  fleet.paused = []
  let runs = 0
  const bench: VirtualBench = new VirtualBench({
    fleet,
    ...(limits && { limits }),
    settings: { concurrency: 8, inbox: { claim: 'batch' }, retry: { attempts: 2, backoff, maxBackoff: backoff } },
    handle: async ({ content }, { signal }) => {
      runs += 1
      await bench.take(RUN, signal)
      if (content === 'fails' && runs === 1) throw new Error('not yet')
      return 'ours'
    },
  })
  fleet.now = () => bench.time.now
  const asked = (id: string): readonly number[] => fleet.asked.flatMap((one) => (one.id === id ? [one.at] : []))
  const answers = (): readonly unknown[] => bench.all('clink.completed').map(({ response }) => response)
  return { answers, asked, bench, fleet, runs: () => runs }
}

it('P5, §5: a clink that has waited for its place goes by what its fleet says then, and one that starts at once by what it said of the page', async () => {
  const { answers, asked, bench, fleet, runs } = benchOf({ serial: 'sender' })
  fleet.resultsFrom = 2 * SECOND
  const ids = [bench.send('work'), bench.send('work')]
  await bench.pass(20 * SECOND)

  const [first = '', second = ''] = ids
  expect(asked(first)).toHaveLength(1)
  expect(asked(second)).toEqual([expect.any(Number), expect.toSatisfy((at: number) => at >= RUN)])
  // That of the other member is sent, and not computed again.
  expect([runs(), answers()]).toEqual([1, ['ours', 'theirs']])
  await bench.stop()
})

it('P5, §5: so does one that has waited for its next try', async () => {
  const { answers, asked, bench, runs } = benchOf()
  const id = bench.send('fails')
  await bench.pass(20 * SECOND)
  expect(asked(id)).toHaveLength(2)
  expect([runs(), answers()]).toEqual([2, ['ours']])
  await bench.stop()
})

it('asks once for each clink of a page that starts at once', async () => {
  const { asked, bench } = benchOf()
  const ids = Array.from({ length: 8 }, () => bench.send('work'))
  await bench.pass(20 * SECOND)
  expect(ids.map((id) => asked(id).length)).toEqual(ids.map(() => 1))
  await bench.stop()
})
