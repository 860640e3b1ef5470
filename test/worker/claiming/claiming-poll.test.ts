import { describe, expect, it } from 'vitest'
import type { FaultRule } from '../../../src/emulator/emulator.ts'
import { Bench, take, until } from '../../support/harness.ts'
import {
  claimingPoll,
  claimingPolls,
  isClaimingPoll,
  lookForClaims,
  requests,
  story,
  times,
} from '../../support/record.ts'

const failure = { success: false, error: 'internal', message: 'no' }

describe.concurrent('P7, §3: a claiming poll whose answer is lost', () => {
  it.for([
    ['500', { status: 500 }],
    ['408', { status: 408 }],
    ['a cut before the effect', { cut: 'before' }],
    ['a cut after the effect', { cut: 'after' }],
    ['half an answer', { truncate: 25 }],
    ['success: false', { replaceBody: JSON.stringify(failure) }],
    ['garbage', { replaceBody: '<html>hello</html>' }],
    ['no answer', { hang: 'after' }],
  ] as const)('(%s) is counted, not repeated blindly, and costs nothing', async ([, effect]) => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 1 } })
    const ids = bench.sendMany(3)
    bench.fault({ ...claimingPoll, nth: 1 }, effect)
    const station = bench.work(() => 'done', { settings: { clink: { timeout: 500 } } })
    await bench.completed(ids)

    expect(station.all('poll.lost')).toHaveLength(1)
    const polls = requests(bench.emulator, 'check_inbox')
    const next = polls[polls.findIndex(isClaimingPoll) + 1]
    expect(next && isClaimingPoll(next)).toBe(false)
    for (const id of ids) expect(station.runsOf(id)).toHaveLength(1)
  })

  it.for([
    ['400', { status: 400 }],
    ['404', { status: 404 }],
    ['429', { status: 429, headers: { 'retry-after': '0' } }],
  ] as const)('is told apart from one that was refused (%s)', async ([, effect]) => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(3)
    bench.fault({ ...claimingPoll, nth: 1 }, effect)
    const station = bench.work(() => 'done')
    await bench.completed(ids)

    expect(station.all('poll.lost')).toEqual([])
    for (const id of ids) expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
  })

  it('does not disturb renewals and settlements', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 2 } })
    const long = bench.send('long')
    const station = bench.work(async (_, ctx) => await take(5_000, ctx), { settings: { claim: { timeout: 2_000 } } })
    await until(() => station.runs.length === 1, 'the handler starts')
    const fault = bench.fault({ operation: 'check_inbox' }, { status: 500 })
    await bench.completed(long)

    expect(story(bench.emulator, long)).toEqual(['created', 'claimed', 'completed'])
    expect(times(bench.emulator, long, 'renewed')).toBeGreaterThan(1)
    expect(fault.hits).toBeGreaterThan(2)
  })

  it('is followed by probes that back off and do not claim while the service is away', async () => {
    await using bench = await Bench.open()
    const fault = bench.fault({ operation: 'check_inbox' }, { status: 503 })
    const station = bench.work(() => 'done')
    await until(() => fault.hits >= 6, 'six failures')
    const polls = requests(bench.emulator, 'check_inbox')
    fault.remove()
    await bench.completed(bench.send('work'))

    expect(polls.filter(isClaimingPoll)).toHaveLength(1)
    expect(station.all('poll.lost')).toHaveLength(1)
  })

  it('brings nothing from a claim that the client of a slow answer gave up on twice', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 1 } })
    const ids = bench.sendMany(8)
    bench.fault({ operation: 'check_inbox', every: 3, times: 3 }, { delayAfter: 900 })
    const station = bench.work(() => 'done', { settings: { concurrency: 2, clink: { timeout: 500 } } })
    await bench.completed(ids)

    for (const id of ids) expect(station.runsOf(id)).toHaveLength(1)
  })
})

describe.concurrent('§3: a service that is busy', () => {
  const wait = 2_000
  const date = (): string => new Date(Date.now() + wait + 1_000).toUTCString()
  it.for<[string, () => string, string, Omit<FaultRule, 'then'>]>([
    ['seconds', () => '2', 'a claiming poll', claimingPoll],
    ['a date', date, 'a claiming poll', claimingPoll],
    ['seconds', () => '2', 'the look before it', lookForClaims],
    ['a date', date, 'the look before it', lookForClaims],
  ])(
    'is left in peace for its Retry-After, given as %s, by a claiming poll or the look before it',
    async ([, header, , asked]) => {
      await using bench = await Bench.open()
      bench.fault({ ...asked, nth: 1 }, { status: 429, headers: { 'retry-after': header() } })
      const id = bench.send('work')
      bench.work(() => 'done')
      await bench.completed(id)

      const polls = requests(bench.emulator, 'check_inbox')
      const refused = polls.findIndex(({ status }) => status === 429)
      expect((polls[refused + 1]?.at ?? 0) - (polls[refused]?.at ?? Infinity)).toBeGreaterThanOrEqual(wait - 100)
    },
  )

  it('gets claiming polls at their interval again once it answers', async () => {
    await using bench = await Bench.open()
    // The look before the first poll is the first.
    const fault = bench.fault({ operation: 'check_inbox', times: 5 }, { status: 503 })
    const id = bench.send('work')
    bench.work(() => 'done')
    await bench.completed(id)

    expect(fault.hits).toBe(5)
    expect(claimingPolls(bench.emulator).length).toBeGreaterThan(1)
  })
})
