import { describe, expect, it } from 'vitest'
import type { Clink } from '../../src/clink/records.ts'
import type { WorkerEvent } from '../../src/events.ts'
import { LoopGuard } from '../../src/worker/loop-guard.ts'

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

function guardWith(count: number): { guard: LoopGuard; events: WorkerEvent[]; time: { now: number } } {
  const events: WorkerEvent[] = []
  const time = { now: 0 }
  const clock = { now: () => time.now, wall: () => time.now, at: () => () => {} }
  return { guard: new LoopGuard({ count, window: 600_000 }, clock, (event) => events.push(event)), events, time }
}

describe('agents that answer each other in a circle are noticed (P15, §5)', () => {
  it('leaves a sender alone whose clinks each follow an answer, says so once, and hears it again after ten minutes', () => {
    const { guard, events, time } = guardWith(3)
    const muted: boolean[] = []
    for (let round = 0; round < 5; round += 1) {
      guard.answered('bob', at(round * 1_000))
      muted.push(guard.isMuted(clink(round * 1_000 + 500)))
    }
    expect(muted).toEqual([false, false, false, true, true])
    expect(events.map(({ event }) => event)).toEqual(['sender.muted'])
    time.now = 600_001
    expect(guard.isMuted(clink(700_000))).toBe(false)
  })

  it('does not count a backlog that was sent before the first answer', () => {
    const { guard } = guardWith(3)
    for (let round = 0; round < 50; round += 1) {
      guard.answered('bob', at(100_000 + round))
      expect(guard.isMuted(clink(round))).toBe(false)
    }
  })

  it('counts one clink an answer, so that a burst after one answer is not a circle', () => {
    const { guard } = guardWith(3)
    guard.answered('bob', at(0))
    for (let round = 1; round < 50; round += 1) expect(guard.isMuted(clink(round))).toBe(false)
  })

  it('does not count a clink that came more than a minute after the answer', () => {
    const { guard } = guardWith(0)
    guard.answered('bob', at(0))
    expect(guard.isMuted(clink(60_001))).toBe(false)
    guard.answered('bob', at(100_000))
    expect(guard.isMuted(clink(160_000))).toBe(true)
  })

  it('tells senders apart', () => {
    const { guard } = guardWith(0)
    guard.answered('bob', at(0))
    expect(guard.isMuted(clink(1, 'alice'))).toBe(false)
    expect(guard.isMuted(clink(1, 'bob'))).toBe(true)
  })
})
