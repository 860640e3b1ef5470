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
