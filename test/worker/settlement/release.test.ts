import { describe, expect, it } from 'vitest'
import { Streak } from '../../../src/base/streak.ts'
import { ClinkApiError } from '../../../src/clink/errors.ts'
import type { WorkerEvent } from '../../../src/events.ts'
import type { Settled } from '../../../src/worker/delivery/handle.ts'
import type { Claimed } from '../../../src/worker/settlement/attempts.ts'
import type { SettlementContext } from '../../../src/worker/settlement/context.ts'
import { release } from '../../../src/worker/settlement/release.ts'
import { WorkerSignals } from '../../../src/worker/signals.ts'
import { Chance } from '../../simulation/chance.ts'
import { VirtualTime } from '../../simulation/virtual-time.ts'
import { clink } from '../../support/sample-records.ts'
import { makeSettings } from '../../support/settings.ts'

const LATENCY = 5

function refused(status: number, more: Partial<ClinkApiError> = {}): ClinkApiError {
  const facts = { detail: 'no', operation: 'release_clink', mayHaveHappened: false, isBare: false } as const
  return new ClinkApiError(`it failed with ${status}`, {
    ...facts,
    status,
    retryAfter: undefined,
    failure: undefined,
    ...more,
  })
}
const away = refused(503)
const unanswered = refused(0, { mayHaveHappened: true, failure: 'timeout' })

interface World {
  readonly exclusive?: boolean
  readonly isLast?: boolean
  readonly reason?: string
  /** How long the claim stands. */
  readonly lasts?: number
}

/** A release whose tries are answered so, the last answer for ever. Undefined: it is taken. */
async function run(
  answers: readonly (ClinkApiError | undefined)[],
  { exclusive = false, isLast, lasts = 60_000, reason }: World = {},
): Promise<{ settled: Settled; tries: number; told: WorkerEvent[] }> {
  const time = new VirtualTime(new Chance(1))
  const clock = {
    now: () => 1_000 + time.now,
    wall: () => time.now,
    at: (at: number, act: () => void) => time.at(Math.max(at - 1_000, time.now), act),
  }
  const deadline = 1_000 + lasts
  const told: WorkerEvent[] = []
  let tries = 0
  const releaseClink = async (): Promise<void> => {
    const answer = answers[Math.min(tries, answers.length - 1)]
    tries += 1
    await new Promise<void>((resolve) => time.at(time.now + LATENCY, resolve))
    if (answer !== undefined) throw answer
  }
  const holder = {
    lease: { deadline },
    get stands() {
      return clock.now() < deadline
    },
    stopRenewing: async () => await Promise.resolve(),
  }
  const { signal } = new AbortController()
  const context = {
    clock,
    closing: signal,
    stopping: signal,
    emit: (event: WorkerEvent) => told.push(event),
    outages: { settlements: new Streak(clock) },
    random: () => 0.5,
    rateLimit: { refused: () => {} },
    settings: makeSettings({ claim: { exclusive } }),
    signals: new WorkerSignals(),
  }
  const claimed = { clink, api: { releaseClink }, holder, facts: {}, ...(isLast !== undefined && { isLast }) }
  let settled: Settled | undefined
  void release(claimed as unknown as Claimed, 'handler', reason, context as unknown as SettlementContext).then(
    (end) => (settled = end),
  )
  time.at(time.now + 2 * lasts, () => {})
  await time.runUntil(2 * lasts, () => settled !== undefined)
  if (settled === undefined) throw new Error('the release does not end')
  return { settled, tries, told }
}

describe('P8, §5: a release', () => {
  it('that is taken says why, and how long it took', async () => {
    expect((await run([undefined], { reason: 'busy' })).settled).toStrictEqual({
      is: 'released',
      why: 'handler',
      reason: 'busy',
      duration: LATENCY,
    })
    expect((await run([undefined])).settled).toStrictEqual({ is: 'released', why: 'handler', duration: LATENCY })
  })

  it('that surely had no effect is sent again until it is taken, and people are told of both', async () => {
    const { settled, told, tries } = await run([away, away, undefined])
    expect([settled.is, tries]).toEqual(['released', 3])
    expect(told.map(({ event }) => event)).toEqual([
      'clink.settlementFailed',
      'clink.settlementFailed',
      'settlements.recovered',
    ])
    expect(told[0]).toMatchObject({ kind: 'release', error: away })
  })

  it.each([400, 403, 404, 409, 410, 422])(
    'that is refused with %i finds the clink settled elsewhere',
    async (status) => {
      const { settled, tries } = await run([refused(status)])
      expect([settled, tries]).toEqual([
        { is: 'elsewhere', detail: `the service answered ${status}: it failed with ${status}` },
        1,
      ])
    },
  )

  it.each<[World, string]>([
    [{}, 'another worker with the key, or our own poll, may have the clink by then'],
    [{ exclusive: true }, 'our own next poll may have it'],
    [{ exclusive: true, isLast: false }, 'our own next poll may have it'],
    [{ isLast: true }, 'another worker with the key may have it'],
  ])('that may have been carried out is not sent again: %o, %s', async (world) => {
    const { settled, tries } = await run([unanswered, undefined], world)
    expect([settled, tries]).toEqual([
      { is: 'left-to-expire', why: 'the release was sent and not answered: it failed with 0' },
      1,
    ])
  })

  it('that may have been carried out is sent again at a stop where nobody else uses the key', async () => {
    const { settled, tries } = await run([unanswered, undefined], { exclusive: true, isLast: true })
    expect([settled.is, tries]).toEqual(['released', 2])
  })

  it('that is never taken is left to expire with its claim', async () => {
    const { settled, tries } = await run([away], { lasts: 20_000 })
    expect(settled).toEqual({ is: 'left-to-expire', why: 'no time was left in which the service took the release' })
    expect(tries).toBeGreaterThan(3)
  })
})
