import { expect, it } from 'vitest'
import type { Status } from '../../src/control/status.ts'
import { told } from '../support/status-facts.ts'

type Delivery = Status['deliveries'][number]

const delivery: Delivery = {
  id: 'msg_0',
  group: 'ops',
  sender: 'u_1',
  route: 'work',
  state: 'running',
  attempt: 1,
  for: 0,
  lease: 60_000,
  due: null,
  why: null,
  isStuck: false,
}
it('of more than 200 clinks in hand those whose handlers run are told, however long others wait; the rest is counted', () => {
  const many = (count: number, one: Partial<Delivery>): Delivery[] =>
    Array.from({ length: count }, (_, n) => ({ ...delivery, ...one, id: `${one.state}-${n}`, for: n }))
  const { deliveries, deliveriesLeftOut } = told({
    deliveries: [
      ...many(250, { state: 'held', due: 1_000, why: 'not yet' }),
      ...many(2, { state: 'settling' }),
      ...many(30, { state: 'running' }),
      ...many(1, { state: 'lost' }),
    ].map((one) => (one.state === 'held' ? { ...one, for: one.for + 1_000_000 } : one)),
  })
  expect(deliveries).toHaveLength(200)
  expect(deliveriesLeftOut).toBe(83)
  expect(
    deliveries
      .slice(0, 31)
      .map(({ state }) => state)
      .toSorted(),
  ).toEqual(['lost', ...Array.from({ length: 30 }, () => 'running')])
  expect(deliveries.slice(31, 34).map(({ id }) => id)).toEqual(['settling-1', 'settling-0', 'held-249'])
})

it('clinks that wait since everything on their route fails have a total, in hand or not', () => {
  const reason = { sender: null, isParked: false, left: null }
  const status = told({
    notWorked: [
      { ...reason, route: 'a', why: 'failing', count: 12 },
      { ...reason, route: 'b', why: 'failing', count: 3 },
      { ...reason, route: 'b', why: 'slots', count: 40 },
    ],
  })
  expect(status.counts.failing).toBe(15)
})

it('a command that is named shows something: the log of a clink that has one, or none', () => {
  const readiness = { ready: false, reasons: ['this keeps it from working'] }
  const lastFailure = { id: 'msg_0', reason: 'the database is away' }
  const limits = { concurrency: null, rate: null, serial: null, serialScope: null, weight: 1 }
  const counts = { running: 0, waiting: 0, held: 0, settling: 0 }
  const route = {
    name: 'work',
    file: 'work.ts',
    generation: 1,
    isGone: false,
    ...counts,
    limits,
    waits: ['failing'] as const,
    lastFailure,
  }
  const held = { ...delivery, state: 'held', due: 1_000 } as const
  const situations = {
    failing: { readiness, routes: [route], deliveries: [held, { ...held, id: 'msg_1' }] },
    searching: {
      readiness,
      search: 'this keeps it from working',
      deliveries: [delivery, { ...delivery, id: 'msg_1' }],
    },
    stuck: { deliveries: [{ ...delivery, id: 'msg_1', isStuck: true }] },
  }
  for (const facts of Object.values(situations)) {
    expect(told({ ...facts, hasLog: (id) => id === 'msg_1' }).next?.command).toBe('clink-worker logs msg_1')
    expect(told({ ...facts, hasLog: () => false }).next).toEqual({ why: expect.any(String), command: null })
  }
  expect(told({ ...situations.failing, hasLog: () => true }).next?.command).toBe('clink-worker logs msg_0')
  const otherwise = { ...situations.searching, readiness: { ready: false, reasons: ['the service is away'] } }
  expect(told(otherwise).next?.command).toBe('clink-worker check --online')
})
