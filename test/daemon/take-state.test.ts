import { describe, expect, it } from 'vitest'
import { enterFleet, leaveFleet } from '../../src/daemon/take-state.ts'
import { Chance } from '../simulation/chance.ts'
import { VirtualTime } from '../simulation/virtual-time.ts'

/** Milliseconds that it takes beside a fleet whose store does not answer. */
async function lasts(act: (clock: Parameters<typeof enterFleet>[1]) => Promise<void>): Promise<number | undefined> {
  const time = new VirtualTime(new Chance(1))
  const clock = { now: () => time.now, wall: () => time.now, at: time.at.bind(time) }
  let over: number | undefined
  void act(clock).then(() => (over = time.now))
  await time.runUntil(60_000, () => over !== undefined)
  return over
}

const silent = new Promise<void>(() => {})

describe('beside a fleet whose store does not answer', () => {
  it('a start goes on after a second: the claims that its journal knows run out meanwhile', async () => {
    expect(await lasts(async (clock) => await enterFleet({ start: async () => await silent }, clock))).toBe(1_000)
  })

  it('an end goes on after two', async () => {
    expect(await lasts(async (clock) => await leaveFleet({ stop: async () => await silent }, clock))).toBe(2_000)
  })
})
