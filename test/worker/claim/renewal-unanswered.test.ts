import { describe, expect, it } from 'vitest'
import { TransportError } from '../../../src/clink/transport.ts'
import type { Switches } from '../../../src/emulator/switches.ts'
import { BareFleet } from '../../support/bare-fleet.ts'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

const SECOND = 1_000

/** What becomes of a renewal. */
type Fate = 'carried out, then hangs' | 'carried out, then cut' | 'not sent' | 'answered'

interface Course {
  /** Of one renewal after the other, and of all that follow the last. */
  readonly fates: Fate[]
  readonly switches?: Partial<Switches>
}

/** A handler that goes on and on with a clink of which a poll has made a claim of five minutes, with renewals of 30 s. */
async function work({ fates, switches }: Course): Promise<{ lostAfter: number; serverEnd: number }> {
  const bench: VirtualBench = new VirtualBench({
    settings: { claim: { timeout: 30 * SECOND }, clink: { timeout: MINUTE }, handlers: { timeout: 20 * MINUTE } },
    switches: { defaultTimeout: 300, ...switches },
    handle: async (_, { signal }) => await bench.take(20 * MINUTE, signal),
    spoil: (inner) => ({
      async send(request) {
        if (!request.path.endsWith('/claim')) return await inner.send(request)
        const fate = fates.length > 1 ? fates.shift() : fates[0]
        if (fate === 'not sent') throw new TransportError('refused', 'no', 'refused')
        const answer = await inner.send(request)
        if (fate === 'answered') return answer
        if (fate === 'carried out, then cut') throw new TransportError('reset', 'maybe', 'reset')
        await new Promise<void>((resolve) => bench.time.at(bench.time.now + request.timeout, resolve))
        throw new TransportError('timeout', 'maybe', 'timeout')
      },
    }),
  })
  const id = bench.send('work')
  const begun = bench.time.now
  for (let waited = 0; waited < 6 * MINUTE && bench.all('clink.lost').length === 0; waited += SECOND)
    await bench.pass(SECOND)
  const lostAfter = bench.time.now - begun
  const history = bench.emulator.history(id)
  const grant = history.findLast(({ what }) => what === 'renewed' || what === 'claimed')
  await bench.stop()
  return { lostAfter, serverEnd: (grant?.expires ?? 0) - (history[0]?.at ?? 0) }
}

describe('P2, §2: a renewal that asks for less than is left, and is not answered', () => {
  it.for(['carried out, then cut', 'carried out, then hangs'] as const)(
    'may have shortened the claim: %s, its handler is aborted before that end',
    async (fate) => {
      const { lostAfter, serverEnd } = await work({ fates: [fate, 'not sent'] })
      expect(serverEnd).toBeLessThan(3 * MINUTE)
      expect(lostAfter).toBeLessThan(serverEnd)
    },
  )

  it('has shortened nothing where it was surely not sent', async () => {
    const { lostAfter } = await work({ fates: ['not sent'] })
    expect(lostAfter).toBeGreaterThan(4 * MINUTE)
  })

  it.for([
    ['at once', []],
    ['when it is late enough to tell', ['not sent', 'not sent', 'not sent', 'not sent', 'not sent', 'not sent']],
  ] as const)('has shortened nothing where an answer shows the end that was there before, %s', async ([, between]) => {
    const fates: Fate[] = ['carried out, then cut', ...between, 'answered']
    const { lostAfter } = await work({ fates, switches: { reclaim: 'ignore' } })
    expect(lostAfter).toBeGreaterThan(4 * MINUTE)
  })
})

describe('P2, §2: the next process would believe the end that is noted, so that a renewal which may shorten its claim', () => {
  it.for([
    ['is sent while the store of the fleet is away: it is noted here', 'store', 1],
    ['is not sent while the journal cannot be written', 'journal', 0],
  ] as const)('%s', async ([, away, sent]) => {
    const fleet = new BareFleet()
    let isHealthy = true
    const bench: VirtualBench = new VirtualBench({
      fleet,
      isHealthy: () => isHealthy,
      settings: { claim: { timeout: 30 * SECOND }, handlers: { timeout: 20 * MINUTE } },
      switches: { defaultTimeout: 300 },
      handle: async (_, { signal }) => {
        if (away === 'store') fleet.isHealthy = false
        else isHealthy = false
        await bench.take(20 * MINUTE, signal)
      },
    })
    const id = bench.send('work')
    await bench.pass(2 * MINUTE)
    const renewals = bench.emulator.history(id).filter(({ what }) => what === 'renewed').length
    expect(Math.min(1, renewals)).toBe(sent)
    isHealthy = fleet.isHealthy = true
    await bench.stop()
  })
})
