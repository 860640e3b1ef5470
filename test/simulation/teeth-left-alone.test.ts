import { describe, expect, it } from 'vitest'
import { createEmulator } from '../../src/emulator/emulator.ts'
import type { WorkerEvent } from '../../src/events.ts'
import { Chance } from './chance.ts'
import { explained } from './explained.ts'
import { makePlan } from './plan.ts'
import { Record } from './record.ts'

type Said = 'clink.claimed' | 'clink.parked' | 'clink.leftToExpire' | 'clink.lost'

const NOTHING = { leftBehind: [], heldAtStop: [], jumps: [], setBacks: [], sleeps: [], changes: [] }

/** What is wrong with a clink that waits in the inbox, by what its worker has said of it. */
function wrong(content: string, why: string, said: readonly Said[]): readonly string[] {
  const plan = makePlan(1, new Chance(1), [])
  const record = new Record(() => 0)
  record.lives.set('w1.1', { name: 'w1.1', worker: 'w1', state: 'w1', boot: 0, startedAt: 0, ...NOTHING })
  const emulator = createEmulator({ clock: { now: () => 0, move: () => {} }, seed: plan.seeding })
  const clink = emulator.send('ops', content, { from: 'carol' })
  for (const event of said) {
    const route = event === 'clink.claimed' ? { route: 'sim' } : {}
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that the rule looks at
    record.addEvent('w1.1', { event, clink, why, ...route } as unknown as WorkerEvent)
  }
  return explained({ plan, record, emulator, lives: ['w1.1'] }).map((open) => open.why)
}

describe('the judge, of a clink that is parked and whose release is not answered (P1, §3),', () => {
  it('goes by what it was parked for', () => {
    expect(wrong('nobody takes this', 'no-route', ['clink.parked', 'clink.leftToExpire'])).toEqual([])
  })

  it.each([
    {
      what: 'parks it for what is not true',
      content: 'work',
      why: 'no-route',
      said: ['clink.parked', 'clink.leftToExpire'],
    },
    {
      what: 'leaves it to expire without a reason',
      content: 'nobody takes this',
      why: '',
      said: ['clink.leftToExpire'],
    },
  ] as const)('notices a worker that $what', ({ content, why, said }) => {
    expect(wrong(content, why, said)).toEqual(['pending, and w1.1 could run it'])
  })
})
