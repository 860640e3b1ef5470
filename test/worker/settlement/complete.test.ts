import { describe, expect, it } from 'vitest'
import type { Clink } from '../../../src/clink/records.ts'
import { complete, type Completion } from '../../../src/worker/settlement/complete.ts'
import { away, BEGIN, LATENCY, refused, SettlementBench, unanswered, type World } from './settlement-bench.ts'

interface Told extends World {
  readonly response?: string | undefined
  readonly wasKept?: boolean
}

async function run(world: Told): Promise<{ bench: SettlementBench; end: Completion }> {
  const bench = new SettlementBench(world)
  const { response, wasKept } = { response: 'done', ...world }
  return { bench, end: await bench.end(complete(bench.claimed, response, bench.context, wasKept)) }
}

const record = (more: Partial<Clink>): readonly Partial<Clink>[] => [{ clink_id: 'msg_1', ...more }]
const ours = record({ status: 'claimed', claimed_by: 'me' })
const conflict = refused(409)
const forbidden = refused(403)
const tooLong = refused(400)
const said = (status: number): string => `the service answered ${status}: it failed with ${status}`

describe('a completion that is taken', () => {
  it('says what was answered, by which clink, and how long it took', async () => {
    const clink = { completed_at: '2026-11-01T10:00:09Z' }
    const { bench, end } = await run({ answers: [away, { clink, response_clink_id: 'msg_2' }] })
    expect(end).toStrictEqual({
      is: 'completed',
      response: 'done',
      responseId: 'msg_2',
      presumed: false,
      duration: 2 * LATENCY + 187.5,
    })
    expect(bench.sent('complete')).toEqual([
      { clink_id: 'msg_1', response: 'done' },
      { clink_id: 'msg_1', response: 'done' },
    ])
    expect(bench.noted.slice(1)).toEqual([
      ['answered', 'u1', '2026-11-01T10:00:09Z'],
      ['settled', 'msg_1'],
    ])
    expect(bench.events).toMatchObject([{ event: 'clink.settlementFailed', kind: 'complete' }])
  })

  it('of an outage says that this is over', async () => {
    const { bench } = await run({ answers: [away, away, undefined] })
    expect(bench.events.at(-1)).toMatchObject({ event: 'settlements.recovered', failures: 2 })
  })

  it('without a response sends none, and nobody was answered', async () => {
    const { bench, end } = await run({ response: undefined, answers: [{ clink: {}, response_clink_id: null }] })
    expect(end).toStrictEqual({ is: 'completed', presumed: false, duration: LATENCY })
    expect(bench.sent('complete')).toStrictEqual([{ clink_id: 'msg_1' }])
    expect(bench.noted).toEqual([['settled', 'msg_1']])
  })

  it('notes an answer that may come back as ours, after the claim was let go: its time may be over meanwhile', async () => {
    const confirmed: unknown[] = []
    const { bench } = await run({
      answers: [{ clink: {}, response_clink_id: 'msg_2' }],
      clink: { sender_id: 'me' },
      claimed: { confirmed: () => confirmed.push('confirmed') },
    })
    expect(confirmed).toEqual(['confirmed'])
    expect(bench.noted).toEqual([
      ['own', 'msg_2', LATENCY],
      ['settled', 'msg_1'],
    ])
    const { bench: untold } = await run({ clink: { sender_id: 'me' } })
    expect(untold.noted).toEqual([['settled', 'msg_1']])
  })

  it('is signed where it goes back to us or to a worker', async () => {
    const { bench, end } = await run({ clink: { sender_id: 'me' } })
    expect(bench.sent('complete')).toMatchObject([{ response: expect.stringMatching(/^done\n.+ · hop 1$/) }])
    expect(end).toMatchObject({ response: expect.stringMatching(/hop 1$/) })
    const { bench: signed } = await run({ response: { text: 'whole', line: 'line' } as never })
    expect(signed.sent('complete')).toMatchObject([{ response: 'whole\nline' }])
  })

  it('is signed by the mark of its route, and as an answer', async () => {
    const { bench } = await run({ clink: { sender_id: 'me' }, claimed: { mark: 'never' } })
    expect(bench.sent('complete')).toMatchObject([{ response: 'done' }])
  })
})

describe('a response', () => {
  it('that is too long is cut, and people are told', async () => {
    const { bench, end } = await run({ response: 'x'.repeat(5_000) })
    expect(bench.all('clink.responseShortened')).toEqual([
      {
        event: 'clink.responseShortened',
        clink: bench.claimed.clink,
        route: 'work',
        length: 4_096,
        why: 'longer than 4096',
      },
    ])
    expect(end).toMatchObject({ response: expect.stringMatching(/^x{4092} \[…]$/) })
    expect((await run({})).bench.events).toEqual([])
    expect((await run({ response: undefined })).bench.events).toEqual([])
  })

  it('that the service does not accept is sent at once shorter, and then not at all (§5)', async () => {
    const { bench, end } = await run({
      response: 'é'.repeat(4_000),
      shown: [ours],
      answers: [tooLong, refused(413), undefined],
    })
    const [whole, shorter, none] = bench.sent('complete') as { response?: string }[]
    expect([whole?.response?.length, Buffer.byteLength(shorter?.response ?? '')]).toEqual([4_000, 4_096])
    expect(none).toStrictEqual({ clink_id: 'msg_1' })
    expect(bench.all('clink.responseShortened').map(({ length, why }) => [length, why])).toEqual([
      [shorter?.response?.length, said(400)],
      [0, said(413)],
    ])
    expect(end).toStrictEqual({ is: 'completed', presumed: false, duration: 5 * LATENCY })
    expect(bench.all('clink.settlementFailed')).toEqual([])
    expect(bench.noted).not.toContainEqual(['answered', 'u1', undefined])
  })

  it('that has no shorter form is left out at once', async () => {
    const { bench } = await run({ shown: [ours], answers: [tooLong, undefined] })
    expect(bench.sent('complete')).toEqual([{ clink_id: 'msg_1', response: 'done' }, { clink_id: 'msg_1' }])
  })

  it('keeps its last line where it is shortened', async () => {
    const response = { text: 'é'.repeat(4_000), line: 'the line' } as never
    const { bench } = await run({ response, shown: [ours], answers: [tooLong, undefined] })
    expect(bench.sent('complete')[1]).toMatchObject({ response: expect.stringMatching(/ \[…]\nthe line$/) })
  })

  it.each([400, 413, 422])(
    'that the service takes in no form, also none (%i), makes it unsettleable (P12)',
    async (status) => {
      const { bench, end } = await run({ shown: [ours], answers: [refused(status)] })
      expect([end, bench.times('complete').length]).toEqual([
        { is: 'unsettleable', why: `it failed with ${status}` },
        2,
      ])
      const { bench: empty } = await run({ shown: [ours], response: undefined, answers: [refused(status)] })
      expect(empty.times('complete')).toEqual([0])
    },
  )

  it('of which a look shows that it was taken all the same is done: a proxy may have said that', async () => {
    const { bench, end } = await run({
      shown: [record({ status: 'completed', completed_by: 'me' })],
      answers: [tooLong],
    })
    expect([end.is, bench.times('complete').length]).toEqual(['completed', 1])
  })
})

describe('a completion that is refused', () => {
  it.each([403, 404, 409, 410])(
    '(%i) at the first try was settled elsewhere: nothing of it is unknown',
    async (status) => {
      const { bench, end } = await run({ answers: [refused(status)] })
      expect([end, bench.asked.length]).toEqual([{ is: 'elsewhere', detail: said(status) }, 1])
      expect((await run({ answers: [away, refused(status)] })).end.is).toBe('elsewhere')
    },
  )

  it('again and again outside the API’s envelope is refused in the end', async () => {
    const { end } = await run({ answers: [refused(404, { failure: 'foreign', isBare: true })] })
    expect(end).toEqual({ is: 'elsewhere', detail: said(404) })
  })
})

describe('a completion that is refused, after one that may have been carried out (§5)', () => {
  const afterUnknown = async (error: typeof away, ...shown: NonNullable<World['shown']>) =>
    await run({ answers: [unanswered, error], shown })

  it('is ours where a look shows that we have completed the clink', async () => {
    const shown = record({ status: 'completed', completed_by: 'me', completed_at: '2026-11-01T10:00:09Z' })
    const { bench, end } = await afterUnknown(conflict, shown)
    expect(end).toStrictEqual({ is: 'completed', response: 'done', presumed: false, duration: 3 * LATENCY + 187.5 })
    expect(bench.noted.slice(1)).toEqual([
      ['answered', 'u1', '2026-11-01T10:00:09Z'],
      ['settled', 'msg_1'],
    ])
    expect(bench.times('look')).toEqual([197.5])
    expect(bench.asked.at(-1)?.limits).toMatchObject({ deadline: BEGIN + 60_000, signal: bench.context.closing })
  })

  it('is ours where nobody says who has completed it', async () => {
    expect((await afterUnknown(conflict, record({ status: 'completed' }))).end).toMatchObject({ is: 'completed' })
  })

  it('is somebody else’s where the look shows that', async () => {
    const { bench, end } = await afterUnknown(conflict, record({ status: 'completed', completed_by: 'ann' }))
    expect(end).toEqual({ is: 'elsewhere', detail: 'completed by ann' })
    expect(bench.noted).toEqual([['failed', 0]])
  })

  it.each([
    [{ status: 'pending' }, 'pending-again'],
    [{ status: 'claimed', claimed_by: 'ann' }, 'taken'],
  ] as const)('is lost where the look shows %o', async (shown, cause) => {
    expect((await afterUnknown(conflict, record(shown))).end).toEqual({ is: 'lost', cause, failing: 0 })
  })

  it('is presumed where the clink is not to be seen, for a conflict only: its result is kept', async () => {
    const { bench, end } = await afterUnknown(conflict, [])
    expect(end).toStrictEqual({ is: 'completed', response: 'done', presumed: true, duration: 3 * LATENCY + 187.5 })
    expect(bench.noted.slice(1)).toEqual([['answered', 'u1', undefined]])
    expect((await afterUnknown(forbidden, [])).end).toEqual({ is: 'elsewhere', detail: said(403) })
  })

  it('is presumed where the clink may be hidden behind others, for a conflict only', async () => {
    const page = Array.from({ length: 100 }, (_, n) => ({ clink_id: `other ${n}` }))
    expect((await afterUnknown(conflict, page)).end).toMatchObject({ is: 'completed', presumed: true })
    expect((await afterUnknown(forbidden, page)).end).toEqual({ is: 'elsewhere', detail: said(403) })
  })

  it('is sent again where the look fails, or shows the claim as ours', async () => {
    for (const shown of [away, ours]) {
      const world = { answers: [unanswered, conflict, undefined], shown: [shown] }
      expect((await run(world)).end).toMatchObject({ is: 'completed', presumed: false })
    }
  })

  it('in an earlier process is looked at as well', async () => {
    const world = { answers: [conflict], shown: [record({ status: 'completed', completed_by: 'me' })] }
    expect((await run({ ...world, wasKept: true })).end.is).toBe('completed')
    expect((await run(world)).end.is).toBe('elsewhere')
  })
})

describe('a completion that fails again and again', () => {
  const unknown = refused(503, { mayHaveHappened: true })

  it('is looked at after each third try where it may have been carried out', async () => {
    const { bench } = await run({ answers: [unknown], shown: [ours], lasts: 20_000 })
    const tries = bench.times('complete')
    expect(bench.times('look').slice(0, 2)).toEqual([tries[2], tries[5]].map((at = 0) => at + LATENCY))
    expect((await run({ answers: [away], lasts: 20_000 })).bench.times('look')).toEqual([])
    expect((await run({ answers: [unanswered], lasts: 20_000 })).bench.times('look')).toEqual([])
  })

  it('is done where the look shows that, and goes on where the clink is not to be seen', async () => {
    const shown = [[], record({ status: 'completed', completed_by: 'me' })]
    const { bench, end } = await run({ answers: [unknown], shown })
    expect([end.is, bench.times('complete').length]).toEqual(['completed', 6])
  })

  it('is unconfirmed when the claim is over, and says for how long the service has failed', async () => {
    const { bench, end } = await run({ answers: [away], lasts: 20_000 })
    expect([bench.time.now, end]).toEqual([20_000, { is: 'unconfirmed', failing: 20_000 - LATENCY }])
    expect((await run({ answers: [unanswered], closeAt: 100 })).end).toEqual({ is: 'unconfirmed', failing: 0 })
  })

  it('for as long as a claim lasts may be given up: whoever has it claimed decides that (P12)', async () => {
    const failing: number[] = []
    const claimed = {
      failing: async (ms: number) => {
        failing.push(ms)
        return await Promise.resolve(failing.length === 2)
      },
    }
    const { bench, end } = await run({ answers: [away], lasts: 200_000, length: 40_000, claimed })
    expect(end).toEqual({ is: 'unsettleable', why: 'the service failed to take the result over two leases' })
    expect(failing.map((ms) => ms >= 40_000 && ms < 48_000)).toEqual([true, true])
    expect(bench.times('look')).toEqual([])
  })

  it('for as long as a claim lasts is sent on where nobody gives it up', async () => {
    const { end } = await run({ answers: [away], lasts: 200_000, length: 40_000 })
    expect(end.is).toBe('unconfirmed')
  })

  it('for as long as a claim lasts is looked at first where it may have been carried out', async () => {
    const shown = [ours, ours, ours, record({ status: 'pending' })]
    // As long as what is asked for: a poll may have made a shorter one.
    const { bench, end } = await run({ answers: [unknown, away], shown, lasts: 200_000, length: 2_000 })
    const tries = bench.times('complete')
    expect(bench.times('look')).toEqual([2, 5, 8, 9].map((nth) => (tries[nth] ?? 0) + LATENCY))
    expect(end).toEqual({ is: 'lost', cause: 'pending-again', failing: bench.time.now - 2 * LATENCY })
  })
})
