import { describe, expect, it } from 'vitest'
import type { Clink } from '../../../src/clink/records.ts'
import type { Settings } from '../../../src/config/settings.ts'
import type { WorkerEvent } from '../../../src/events.ts'
import { LoopGuard } from '../../../src/worker/replies/loop-guard.ts'
import { makeSettings } from '../../support/settings.ts'

const at = (ms: number): string => new Date(1_700_000_000_000 + ms).toISOString()
const clink = (created: number, sender = 'bob'): Clink => ({
  clink_id: `msg_${created}`,
  group_id: 'g',
  sender_id: sender,
  sender_name: sender,
  content: 'and you?',
  created_at: at(created),
  status: 'claimed',
})

function guardWith(count: number | null) {
  const events: WorkerEvent[] = []
  const time = { now: 0 }
  const settings = limited(count)
  const clock = { now: () => time.now, wall: () => time.now, at: () => () => {} }
  return { guard: new LoopGuard({ settings, clock, emit: (event) => events.push(event) }), events, settings, time }
}

function limited(count: number | null): Settings {
  return makeSettings({ inbox: { loopLimit: count === null ? null : { count, window: 600_000 } } })
}

describe('where inbox.loopLimit is set, circles with agents that count no hops are bounded (P15, §5)', () => {
  it('leaves a sender alone of whom so many clinks have followed answers, says so once, and hears it again when the first is long ago', () => {
    const { guard, events, time } = guardWith(3)
    for (let round = 0; round < 3; round += 1) {
      expect(guard.isMuted('bob')).toBe(false)
      guard.answered('bob', at(round * 1_000))
      guard.taken(clink(round * 1_000 + 500))
    }
    expect(guard.isMuted('bob')).toBe(true)
    expect(events.map(({ event }) => event)).toEqual(['sender.muted'])
    time.now = 599_999
    expect(guard.isMuted('bob')).toBe(true)
    time.now = 600_001
    expect(guard.isMuted('bob')).toBe(false)
  })

  it('hears a sender again as soon as the limit is raised or taken away', () => {
    const { guard, settings } = guardWith(2)
    for (let round = 0; round < 2; round += 1) {
      guard.answered('bob', at(round * 1_000))
      guard.taken(clink(round * 1_000 + 500))
    }
    const muted = [2, 3, 2, null].map((count) => {
      settings.change(limited(count).current)
      return guard.isMuted('bob')
    })
    expect(muted).toEqual([true, false, true, false])
  })

  it('lets at most as many through in any window of time', () => {
    const { guard, time } = guardWith(3)
    const taken: number[] = []
    for (; time.now < 3_000_000; time.now += 10_000) {
      if (guard.isMuted('bob')) continue
      guard.answered('bob', at(time.now))
      guard.taken(clink(time.now + 500))
      taken.push(time.now)
    }
    expect(taken.length).toBeGreaterThan(9)
    for (const from of taken) expect(taken.filter((one) => one >= from && one < from + 600_000).length).toBeLessThan(4)
  })

  it('does not count a backlog that was sent before the first answer', () => {
    const { guard } = guardWith(3)
    for (let round = 0; round < 50; round += 1) {
      guard.answered('bob', at(100_000 + round))
      guard.taken(clink(round))
      expect(guard.isMuted('bob')).toBe(false)
    }
  })

  it('counts one clink an answer, so that a burst after one answer is not a circle', () => {
    const { guard } = guardWith(3)
    guard.answered('bob', at(0))
    for (let round = 1; round < 50; round += 1) guard.taken(clink(round))
    expect(guard.isMuted('bob')).toBe(false)
  })

  it('does not count a clink that came more than a minute after the answer', () => {
    const { guard } = guardWith(1)
    guard.answered('bob', at(0))
    guard.taken(clink(60_001))
    expect(guard.isMuted('bob')).toBe(false)
    guard.answered('bob', at(100_000))
    guard.taken(clink(160_000))
    expect(guard.isMuted('bob')).toBe(true)
  })

  it('tells senders apart', () => {
    const { guard } = guardWith(1)
    guard.answered('bob', at(0))
    guard.taken(clink(1, 'alice'))
    guard.taken(clink(1, 'bob'))
    expect([guard.isMuted('alice'), guard.isMuted('bob')]).toEqual([false, true])
  })
})

it('without inbox.loopLimit nobody is left alone, however fast it answers (P15)', () => {
  const { guard } = guardWith(null)
  for (let round = 0; round < 1_000; round += 1) {
    guard.answered('bob', at(round))
    guard.taken(clink(round))
  }
  expect(guard.isMuted('bob')).toBe(false)
})
