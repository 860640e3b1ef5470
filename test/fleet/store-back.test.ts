import { expect, it } from 'vitest'
import type { Clock } from '../../src/base/clock.ts'
import { FleetLedger } from '../../src/fleet/fleet-ledger.ts'
import type { Batch, SharedStore } from '../../src/fleet/store.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'
import { Chance } from '../simulation/chance.ts'
import { VirtualTime } from '../simulation/virtual-time.ts'
import { clink } from '../support/sample-records.ts'
import { letter } from '../support/states.ts'
import { SharedMemory } from './simulated/shared-memory.ts'

const SECOND = 1_000
const { clink_id: id } = clink

/** A member whose writes do what a test says, over a store that answers all else at once. */
async function member() {
  const time = new VirtualTime(new Chance(1))
  const host = { asleepUntil: 0, isDead: false }
  const store = new SharedMemory(time, { slowest: 0, failing: 0, outages: [], until: 0 }).for('a', host, new Chance(1))
  let write: SharedStore['write'] = async (batch) => await store.write(batch)
  const now = (): number => time.now
  const clock: Clock = { now, wall: now, at: (at, run) => time.at(at, run) }
  const fleet = new FleetLedger({
    local: memoryTables(),
    clock,
    member: 'a',
    name: 'one',
    onHealth: () => {},
    store: { ...store, write: async (batch) => await write(batch) },
  })
  const pass = async (ms: number): Promise<void> => await time.runUntil(time.now + ms, () => false)
  void fleet.start()
  await pass(SECOND)
  expect(fleet.isHealthy).toBe(true)
  const ledger = new Ledger(fleet.tables, undefined, now, now, fleet)
  const writes = (what: SharedStore['write']): void => void (write = what)
  return { fleet, ledger, pass, store, writes }
}

const away = async (): Promise<never> => await Promise.reject(new Error('away'))

it('P10: a store counts as away until all is told that it was not told, though it answers whatever else it is asked', async () => {
  const { fleet, ledger, pass, store, writes } = await member()
  writes(away)
  const given = ledger.deadLetter(letter)
  await pass(10)
  await given
  expect([fleet.isHealthy, ledger.isTold(id)]).toEqual([false, false])
  const hangs = Promise.withResolvers<void>()
  writes(async (batch) => await hangs.promise.then(async () => await store.write(batch)))
  for (let beats = 0; beats < 5; beats += 1) {
    await pass(SECOND)
    expect([fleet.isHealthy, ledger.isTold(id)]).toEqual([false, false])
  }
  hangs.resolve()
  await pass(10)
  expect([fleet.isHealthy, ledger.isTold(id)]).toEqual([true, true])
})

it('P10: so it does while more is to be told than one write takes, and between those writes nothing is waited for', async () => {
  const { fleet, ledger, pass, store, writes } = await member()
  writes(away)
  const notes: Promise<void>[] = []
  for (let count = 0; count < 1_200; count += 1) notes.push(ledger.cooling.set(`c${count}`, 60 * SECOND))
  await pass(10)
  await Promise.all(notes)
  const was: boolean[] = []
  const sizes: number[] = []
  writes(async (batch: Batch) => {
    was.push(fleet.isHealthy)
    sizes.push(batch.notes.length)
    return await store.write(batch)
  })
  await pass(SECOND + 10)
  expect([sizes, was]).toEqual([
    [500, 500, 200],
    [false, false, false],
  ])
  expect(fleet.isHealthy).toBe(true)
})

it('P10: what was noted while it was away, and after the write that is under way, is told as well before it counts as back', async () => {
  const { fleet, ledger, pass, store, writes } = await member()
  writes(away)
  void ledger.cooling.set('first', 60 * SECOND)
  await pass(10)
  const hangs = Promise.withResolvers<void>()
  writes(async (batch) => await hangs.promise.then(async () => await store.write(batch)))
  await pass(SECOND)
  void ledger.deadLetter(letter)
  await pass(10)
  const was: boolean[] = []
  writes(async (batch) => {
    was.push(fleet.isHealthy)
    return await store.write(batch)
  })
  hangs.resolve()
  await pass(10)
  expect([was, fleet.isHealthy, ledger.isTold(id)]).toEqual([[false], true, true])
})

it('what is left alone is not known to others while that is written, though the store has not failed', async () => {
  const { fleet, ledger, pass, store, writes } = await member()
  const hangs = Promise.withResolvers<void>()
  writes(async (batch) => await hangs.promise.then(async () => await store.write(batch)))
  void ledger.deadLetter(letter)
  void ledger.cooling.set('cools', 60 * SECOND)
  void ledger.addOwn('sent', 1)
  await pass(SECOND)
  const told = (): readonly boolean[] => [id, 'cools', 'sent', 'another'].map((one) => ledger.isTold(one))
  expect([fleet.isHealthy, told()]).toEqual([true, [false, false, false, true]])
  hangs.resolve()
  await pass(100)
  expect(told()).toEqual([true, true, true, true])
})
