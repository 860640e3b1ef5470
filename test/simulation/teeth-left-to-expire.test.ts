import { describe, expect, it } from 'vitest'
import type { Emulator, StoredClink } from '../../src/emulator/emulator.ts'
import type { LeftAlone, WorkerEvent } from '../../src/events.ts'
import { Chance } from './chance.ts'
import { explained } from './explained.ts'
import { makePlan } from './plan.ts'
import { GROUP, GROUPS } from './plan-scope.ts'
import { newLife, Record, type RunEnd } from './record.ts'

const LIFE = newLife({ name: 'w1.1', worker: 'w1', state: 'w1', boot: 0, startedAt: 0 })

/** What is wrong with a clink of a sender that is pending in the end, by what a process has said of it, and how its only run has ended. */
function judged(sender: string, said: readonly object[], end?: RunEnd): readonly string[] {
  const made = makePlan(1, new Chance(1), [])
  const switches = {
    ...made.switches,
    claimTimes: 'present',
    pollRecords: 'claimed',
    reclaim: 'renew',
    ownClinks: 'shown',
  } as const
  const [worker] = made.workers
  if (worker === undefined) throw new Error('a plan without a worker')
  const inbox = { ...worker.config.inbox, for: 'open', groups: [], ignore: [], maxAge: null } as const
  const workers = [{ ...worker, owner: 'ap_one', config: { ...worker.config, inbox } }]
  const plan = { ...made, switches, workers, faults: { ...made.faults, latency: 0 } }
  const record = new Record(() => 1_000)
  record.lives.set('w1.1', LIFE)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that is looked at
  const clink = {
    clink_id: 'one',
    group_id: GROUPS[0].id,
    group_slug: GROUP,
    sender_id: sender,
    content: 'done\n— clink-worker · hop 1',
    status: 'pending',
    created: 0,
  } as unknown as StoredClink
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that is looked at
  for (const event of said) record.addEvent('w1.1', { ...event, clink } as unknown as WorkerEvent)
  if (end !== undefined) record.addRun({ life: 'w1.1', clinkId: 'one', attempt: 1, startedAt: 10, endedAt: 20, end })
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that is asked of it
  const emulator = { clinks: () => [clink], history: () => [], now: () => 0 } as unknown as Emulator
  return explained({ plan, record, emulator, lives: ['w1.1'] }).map(({ why }) => why)
}

const parked = (why: LeftAlone): object => ({ event: 'clink.parked', why })
const claimed = { event: 'clink.claimed' }
const left = { event: 'clink.leftToExpire', why: 'the release was sent and not answered' }
/** A page that others have won a part of. */
const notClaimed = { event: 'clink.leftAlone', clinkId: 'one', why: 'not-claimed' }
const givenUp = { event: 'clink.deadLettered' }
const NOTICED = ['pending, and w1.1 could run it']

describe('the judge, of a clink whose parked claim is left to its end (P1),', () => {
  it('goes by the reason for which it was parked', () => {
    expect(judged('ap_one', [parked('own-reply'), left])).toEqual([])
  })

  it('notices a worker that leaves what was parked for no good reason', () => {
    expect(judged('user_bob', [parked('own-reply'), left])).toEqual(NOTICED)
  })

  it('notices a worker that leaves what was parked only for a while', () => {
    expect(judged('ap_one', [parked('cooling'), left])).toEqual(NOTICED)
  })

  it('notices a worker that leaves what it had in hand after that', () => {
    expect(judged('ap_one', [parked('own-reply'), claimed, left])).toEqual(NOTICED)
  })
})

describe('the judge, of a clink that was in the part of a page of which nobody can tell who has won it (P1, §1),', () => {
  it('goes by the reason for which it was left alone before', () => {
    expect(judged('ap_one', [parked('own-reply'), notClaimed])).toEqual([])
    expect(judged('ap_one', [parked('own-reply'), notClaimed, left])).toEqual([])
    expect(judged('user_bob', [givenUp, notClaimed], 'reject')).toEqual([])
    expect(judged('user_bob', [givenUp, parked('given-up'), notClaimed], 'reject')).toEqual([])
  })

  it.each([
    { what: 'has no other reason', sender: 'ap_one', said: [notClaimed] },
    { what: 'parked it for what is not true', sender: 'user_bob', said: [parked('own-reply'), notClaimed] },
    { what: 'parked it only for a while', sender: 'ap_one', said: [parked('cooling'), notClaimed] },
    { what: 'had it in hand after that', sender: 'ap_one', said: [parked('own-reply'), claimed, notClaimed] },
    { what: 'gave it up for nothing', sender: 'user_bob', said: [givenUp, notClaimed] },
    { what: 'parked it for a letter that it has not', sender: 'user_bob', said: [parked('given-up'), notClaimed] },
    { what: 'has it not given up', sender: 'user_bob', said: [claimed, notClaimed], end: 'reject' },
  ] as const)('notices a worker that $what', ({ sender, said, ...more }) => {
    expect(judged(sender, said, 'end' in more ? more.end : undefined)).toEqual(NOTICED)
  })
})
