import { describe, expect, it } from 'vitest'
import type { Settled } from '../../../src/worker/delivery/handle.ts'
import { release } from '../../../src/worker/settlement/release.ts'
import { away, LATENCY, refused, SettlementBench, unanswered, type World } from './settlement-bench.ts'

async function run(
  world: World,
  reason?: string,
): Promise<{ settled: Settled; bench: SettlementBench; tries: number }> {
  const bench = new SettlementBench(world)
  const settled = await bench.end(release(bench.claimed, 'handler', reason, bench.context))
  return { bench, settled, tries: bench.asked.length }
}

describe('P8, §5: a release', () => {
  it('that is taken says why, and how long it took', async () => {
    const { bench, settled } = await run({}, 'busy')
    expect(settled).toStrictEqual({ is: 'released', why: 'handler', reason: 'busy', duration: LATENCY })
    expect(bench.sent('release')).toEqual([{ clink_id: 'msg_1' }])
    expect((await run({})).settled).toStrictEqual({ is: 'released', why: 'handler', duration: LATENCY })
  })

  it('is sent when no renewal is on its way any more, which would claim the clink anew', async () => {
    const renewal = Promise.withResolvers<void>()
    const bench = new SettlementBench()
    const stopRenewing = async (): Promise<void> => {
      bench.time.at(200, renewal.resolve)
      await renewal.promise
    }
    const holder = { ...bench.claimed.holder, stands: true, stopRenewing }
    await bench.end(release({ ...bench.claimed, holder }, 'handler', undefined, bench.context))
    expect(bench.times('release')).toEqual([200])
  })

  it('is sent when its fleet knows why the clink is left alone, and renewals go on until then (P10)', async () => {
    const { bench, settled } = await run({ toldAt: 500 })
    expect([settled.is, bench.times('release')]).toEqual(['released', [500]])
    const renewed = bench.noted.findIndex((note) => Array.isArray(note) && note[0] === 'no renewal')
    expect(renewed).toBe(0)
  })

  it.each<[string, World, Settled]>([
    [
      'its store fails before that',
      { toldAt: 5_000, storeFailsAt: 1_000 },
      {
        is: 'left-to-expire',
        why: 'the shared store is away, so that a release could not be noted before it is sent',
      },
    ],
    [
      'the claim is over before that',
      { toldAt: 5_000, lasts: 1_000 },
      { is: 'left-to-expire', why: 'no time was left in which the service took the release' },
    ],
    ['the time for stopping is', { toldAt: 5_000, closeAt: 1_000 }, { is: 'unconfirmed', hadNoEffect: true }],
  ])('is not sent where %s', async (_, world, end) => {
    const { settled, tries } = await run(world)
    expect([settled, tries]).toEqual([end, 0])
  })

  it('that surely had no effect is sent again until it is taken, and people are told of both', async () => {
    const { bench, settled, tries } = await run({ answers: [away, away, undefined] })
    expect([settled.is, tries]).toEqual(['released', 3])
    expect(bench.events.map(({ event }) => event)).toEqual([
      'clink.settlementFailed',
      'clink.settlementFailed',
      'settlements.recovered',
    ])
    expect(bench.events[0]).toMatchObject({ kind: 'release', error: away })
  })

  it.each([400, 403, 404, 409, 410, 422])(
    'that is refused with %i finds the clink settled elsewhere',
    async (status) => {
      const { settled, tries } = await run({ answers: [refused(status)] })
      expect([settled, tries]).toEqual([
        { is: 'elsewhere', detail: `the service answered ${status}: it failed with ${status}` },
        1,
      ])
    },
  )

  it('that is refused again and again outside the API’s envelope finds it settled elsewhere as well', async () => {
    const { settled } = await run({ answers: [refused(404, { failure: 'foreign', isBare: true })] })
    expect(settled.is).toBe('elsewhere')
  })

  it.each<[World, string]>([
    [{}, 'another worker with the key, or our own poll, may have the clink by then'],
    [{ exclusive: true }, 'our own next poll may have it'],
    [{ exclusive: true, claimed: { isLast: false } }, 'our own next poll may have it'],
    [{ claimed: { isLast: true } }, 'another worker with the key may have it'],
  ])('that may have been carried out is not sent again: %o, %s', async (world) => {
    const { settled, tries } = await run({ ...world, answers: [unanswered, undefined] })
    expect([settled, tries]).toEqual([
      { is: 'left-to-expire', why: 'the release was sent and not answered: it failed with 0' },
      1,
    ])
  })

  it('that may have been carried out is sent again at a stop where nobody else uses the key', async () => {
    const { settled, tries } = await run({
      answers: [unanswered, undefined],
      exclusive: true,
      claimed: { isLast: true },
    })
    expect([settled.is, tries]).toEqual(['released', 2])
  })

  it('that is never taken is left to expire with its claim', async () => {
    const { settled, tries } = await run({ answers: [away], lasts: 20_000 })
    expect(settled).toEqual({ is: 'left-to-expire', why: 'no time was left in which the service took the release' })
    expect(tries).toBeGreaterThan(3)
  })
})

describe('P8, §7: a release for which the time for stopping is over', () => {
  const isLast = { exclusive: true, claimed: { isLast: true } } as const

  it('was surely not heard where all tries say so: the next start may work the clink', async () => {
    expect((await run({ answers: [away], closeAt: 2_000 })).settled).toEqual({ is: 'unconfirmed', hadNoEffect: true })
  })

  it('was surely not heard where no try could begin', async () => {
    const { settled, tries } = await run({ closeAt: 0 })
    expect([settled, tries]).toEqual([{ is: 'unconfirmed', hadNoEffect: true }, 0])
  })

  it.each([
    ['the last', [away, unanswered]],
    ['the first', [unanswered, away]],
  ])('may have been heard where %s of its tries may have been', async (_, answers) => {
    expect((await run({ ...isLast, answers, closeAt: 2_000 })).settled).toEqual({
      is: 'unconfirmed',
      hadNoEffect: false,
    })
  })

  it('may have been heard where it is not sent again', async () => {
    const { settled } = await run({ answers: [unanswered], latency: 100, closeAt: 50 })
    expect(settled).toEqual({ is: 'unconfirmed', hadNoEffect: false })
  })
})
