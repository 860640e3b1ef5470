import { expect, it } from 'vitest'
import { Pulses } from '../../src/worker/liveness/pulses.ts'
import { liveness } from '../../src/worker/liveness/liveness.ts'

it('P12: what is late as it begins is late from then on, and not from before', () => {
  let now = 100_000
  const pulses = new Pulses({ now: () => now, wall: () => now, at: () => () => {} })
  const alive = (): boolean =>
    liveness({ expected: pulses.expected, allStuckFor: undefined, lockedOutFor: undefined }).alive
  pulses.begin('msg_1').expect('settlement', -60_000)
  expect(alive()).toBe(true)
  now += 19_999
  expect(alive()).toBe(true)
  now += 1
  expect(alive()).toBe(false)
})
