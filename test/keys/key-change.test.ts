import { describe, expect, it } from 'vitest'
import { Secret } from '../../src/base/secret.ts'
import { Bench, until } from '../support/harness.ts'
import { change, exchange, keysThat, seed } from '../support/key-owners.ts'
import { claimingPoll, claimingPolls, requests, story, times } from '../support/record.ts'

const quick = { poll: { interval: 20, maxInterval: 50 } }

/** A handler that ends when the test says so. */
function gate() {
  const opened = Promise.withResolvers<void>()
  return { open: () => opened.resolve(), wait: opened.promise }
}

describe.concurrent('§8: a key that changes while the worker runs', () => {
  it('is used for new claims, and what the old one claimed is renewed and completed with the old one', async () => {
    await using bench = await Bench.open({ seed, switches: { defaultTimeout: 2 } })
    const { open, wait } = gate()
    const first = bench.send('first')
    const station = bench.work(async ({ content }) => void (content === 'first' && (await wait)), { settings: quick })
    await station.seen('clink.started', first)

    await exchange(station, bench.emulator, 'next')
    const second = bench.send('second')
    await bench.completed(second)
    const renewals = times(bench.emulator, first, 'renewed')
    await until(() => times(bench.emulator, first, 'renewed') > renewals, 'the first is renewed after the change')
    open()
    await bench.completed(first)

    expect(keysThat(bench.emulator, second, 'claimed')).toEqual(['next'])
    expect(keysThat(bench.emulator, second, 'completed')).toEqual(['next'])
    expect(keysThat(bench.emulator, first, 'completed')).toEqual(['worker'])
    expect(new Set(keysThat(bench.emulator, first, 'renewed'))).toEqual(new Set(['worker']))
    expect(station.runs).toHaveLength(2)
  })

  it('takes over claims of the old one when that is refused, where keys of one owner may (P4)', async () => {
    await using bench = await Bench.open({ seed, switches: { identity: 'owner', defaultTimeout: 2 } })
    const { open, wait } = gate()
    const id = bench.send('work')
    const station = bench.work(async () => await wait, { settings: quick })
    await station.seen('clink.started', id)
    await exchange(station, bench.emulator, 'next')
    bench.emulator.suspendKey('worker')
    await until(() => keysThat(bench.emulator, id, 'renewed').includes('next'), 'it is renewed with the new key')
    open()
    await bench.completed(id)

    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
    expect(keysThat(bench.emulator, id, 'completed')).toEqual(['next'])
    expect(station.all('clink.renewalFailed')).toEqual([])
    expect(station.runs).toHaveLength(1)
  })

  it('goes on with the one between, not with the refused one, while a third is on trial (P4)', async () => {
    await using bench = await Bench.open({ seed, switches: { identity: 'owner', defaultTimeout: 2 } })
    const { open, wait } = gate()
    const id = bench.send('work')
    const station = bench.work(async ({ content }) => (content === 'work' ? await wait : 'done'), { settings: quick })
    await station.seen('clink.started', id)
    await exchange(station, bench.emulator, 'next')
    bench.emulator.suspendKey('worker')
    await bench.completed(bench.send('proves it'))
    const renewedBy = (key: string): number =>
      keysThat(bench.emulator, id, 'renewed').filter((one) => one === key).length
    await until(() => renewedBy('next') > 0, 'it is renewed with the second')

    // Nothing is there to be claimed, so nothing tells whose it is.
    await exchange(station, bench.emulator, 'third')
    const before = renewedBy('next')
    await until(() => renewedBy('next') + renewedBy('third') > before + 1, 'it is renewed twice more')
    open()
    await bench.completed(id)

    const refused = bench.emulator.requests().filter(({ status }) => status === 401)
    expect(refused.map(({ key }) => key)).toEqual(['worker'])
    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
  })

  it('sends a result that the old key cannot deliver any more under its own claim, and does not run it again (P5, §5)', async () => {
    await using bench = await Bench.open({ seed, switches: { defaultTimeout: 2 } })
    const { open, wait } = gate()
    const id = bench.send('work')
    const station = bench.work(async () => (await wait, 'the answer'), {
      settings: { ...quick, claim: { timeout: 2_000 } },
    })
    await station.seen('clink.started', id)
    await exchange(station, bench.emulator, 'next')
    bench.emulator.suspendKey('worker')
    open()
    await bench.completed(id)

    expect(keysThat(bench.emulator, id, 'claimed')).toEqual(['worker', 'next'])
    expect(station.runs).toHaveLength(1)
  })

  it('that comes while a poll is on its way leaves what that poll brings to the key that asked', async () => {
    await using bench = await Bench.open({ seed })
    const slow = bench.fault({ ...claimingPoll, times: 1 }, { delayAfter: 700 })
    const id = bench.send('work')
    const station = bench.work(() => 'done', { settings: quick })
    await until(() => slow.hits === 1 && bench.status(id) === 'claimed', 'the poll has claimed')
    change(station, bench.emulator, 'next')
    await station.seen('key.changed')
    await bench.completed(id)

    expect(keysThat(bench.emulator, id, 'completed')).toEqual(['worker'])
  })

  it('ends the wait after refusals of the old one at once', async () => {
    await using bench = await Bench.open({ seed })
    const station = bench.work(() => 'done', { settings: quick, key: 'suspended' })
    await station.seen('worker.notReady')
    change(station, bench.emulator, 'next')
    // The wait after a refusal is longer than this test waits for anything.
    await station.seen('worker.ready')
    await bench.completed(bench.send('work'))
  })

  it('ends that wait also when it is the same key, which may have been let work again', async () => {
    await using bench = await Bench.open({ seed })
    bench.emulator.suspendKey('worker')
    const station = bench.work(() => 'done', { settings: quick })
    await station.seen('worker.notReady')
    bench.emulator.suspendKey('worker', false)
    change(station, bench.emulator, 'worker')
    await station.seen('worker.ready')

    expect(station.all('key.changed')).toEqual([])
  })

  it('is the one that handlers get for clinks which it claimed, and not for earlier ones', async () => {
    await using bench = await Bench.open({ seed })
    const { open, wait } = gate()
    const sent: string[] = []
    const first = bench.send('first')
    const station = bench.work(
      async ({ content, group_id }, ctx) => {
        if (content === 'first' && ctx.attempt === 1) {
          await wait
          throw new Error('the next attempt is after the change')
        }
        const text = `from ${content}`
        const { clink_id } = await ctx.api.sendClink({ group_id, content: text, for: 'user_bob' })
        sent.push(clink_id, (await ctx.reply(text)) ?? '')
      },
      { settings: quick },
    )
    await station.seen('clink.started', first)
    await exchange(station, bench.emulator, 'next')
    await bench.completed(bench.send('second'))
    open()
    await bench.completed(first)

    const keys = sent.flatMap((id) => keysThat(bench.emulator, id, 'created'))
    expect(keys).toEqual(['next', 'next', 'worker', 'worker'])
  })
})

describe.concurrent('§8: a key that is no good', () => {
  it('nor one whose file holds none any more before the service has said whose it is', async () => {
    await using bench = await Bench.open({ seed })
    const station = bench.work(() => 'done', { settings: quick })
    const { keyChange, worker } = station.daemon
    await station.seen('worker.ready')
    const offered = keyChange.offer(new Secret(bench.emulator.keys['next'] ?? ''), '/etc/the-file')
    keyChange.unusable('the key file /etc/the-file is empty', false)
    expect(await offered).toBeUndefined()
    await bench.completed(bench.send('work'))

    expect(station.all('key.changed')).toEqual([])
    expect(worker.report().key.unused).toBe('the key file /etc/the-file is empty')
  })

  it('is named with its source and problem and without its text when it is malformed; the last good one stays (P13)', async () => {
    await using bench = await Bench.open({ seed })
    const station = bench.work(() => 'done', { settings: quick })
    const { daemon } = station
    await station.seen('worker.ready')
    void daemon.keyChange.offer(new Secret('not-a-key-at-all'), '/etc/the-file')
    const { problem } = await station.seen('key.unusable')
    await bench.completed(bench.send('work'))

    expect(problem).toContain('/etc/the-file')
    expect(problem).toContain('does not begin with sk_live_')
    expect(problem).not.toContain('not-a-key')
    expect(station.all('worker.notReady')).toEqual([])
  })

  it.for([
    ['suspended', /refuses the key/],
    ['next-readonly', /lacks clinks:write/],
    ['alice', /belongs to a user, the one in use to an agent profile/],
  ] as const)('is refused with the reason and never claims anything (%s)', async ([key, reason]) => {
    await using bench = await Bench.open({ seed })
    const station = bench.work(() => 'done', { settings: quick })
    await station.seen('worker.ready')
    change(station, bench.emulator, key)
    const refused = await station.seen('key.refused')
    const ids = bench.sendMany(3)
    await bench.completed(ids)

    expect(refused).toMatchObject({ reason: expect.stringMatching(reason), goesOn: true })
    expect(ids.flatMap((id) => keysThat(bench.emulator, id, 'claimed'))).toEqual(['worker', 'worker', 'worker'])
    expect(station.all('key.changed')).toEqual([])
    expect(station.all('worker.notReady')).toEqual([])
  })

  it('of another user is refused before it claims, and one of the same user is known to be ours', async () => {
    await using bench = await Bench.open({ seed })
    const station = bench.work(() => 'done', { settings: quick, key: 'alice' })
    await station.seen('worker.ready')
    change(station, bench.emulator, 'bob')
    const refused = await station.seen('key.refused')
    change(station, bench.emulator, 'alice-next')
    const changed = await station.seen('key.changed')

    expect(refused.reason).toBe('the key belongs to user_bob, the one in use to user_alice')
    expect(changed.verified).toBe(true)
    expect(requests(bench.emulator, 'get_my_permissions').length).toBeGreaterThanOrEqual(4)
  })

  it('is asked about again while the service does not answer the question', async () => {
    await using bench = await Bench.open({ seed })
    const station = bench.work(() => 'done', { settings: quick })
    await station.seen('worker.ready')
    const away = bench.fault({ operation: 'get_my_permissions', times: 3 }, { status: 503 })
    await exchange(station, bench.emulator, 'next')
    const id = bench.send('work')
    await bench.completed(id)

    expect(away.hits).toBe(3)
    expect(keysThat(bench.emulator, id, 'claimed')).toEqual(['next'])
  })

  it('gives way to a later one that came while it was still asked about', async () => {
    await using bench = await Bench.open({ seed })
    const station = bench.work(() => 'done', { settings: quick })
    await station.seen('worker.ready')
    bench.fault({ operation: 'get_my_permissions', times: 1 }, { delayBefore: 600 })
    change(station, bench.emulator, 'helper')
    await until(() => requests(bench.emulator, 'get_my_permissions').length === 1, 'the first is asked about')
    await exchange(station, bench.emulator, 'next')
    const polls = claimingPolls(bench.emulator).length
    await until(() => claimingPolls(bench.emulator).length > polls + 20, 'a while')
    const id = bench.send('work')
    await bench.completed(id)

    expect(station.all('key.changed')).toHaveLength(1)
    expect(keysThat(bench.emulator, id, 'claimed')).toEqual(['next'])
  })
})

describe.concurrent('§8: a key of another owner that only its first claim gives away', () => {
  it.for([
    ['batch', {}, {}],
    ['batch, where a poll does not say who claims', { pollRecords: 'snapshot' }, {}],
    ['select', {}, { inbox: { claim: 'select' }, claim: { timeout: 3_000, exclusive: true } }],
  ] as const)('runs nothing that it claimed, gives it back, and the key before goes on (%s, P15)', async (variant) => {
    const [, switches, settings] = variant
    await using bench = await Bench.open({ seed, switches })
    const station = bench.work(() => 'done', { settings: { ...quick, ...settings } })
    await bench.completed(bench.send('so that it knows who it is', { from: 'bob' }))
    if (station.all('worker.identity').length === 0) {
      const mark = bench.send('a report\n— clink-worker', { from: 'bob' })
      await bench.completed(mark)
    }
    await exchange(station, bench.emulator, 'helper')
    const ids = [1, 2, 3].map((n) => {
      bench.emulator.moveClock(5)
      return bench.send(`task ${n}`)
    })
    const refused = await station.seen('key.refused')
    await bench.completed(ids)

    expect(refused).toMatchObject({
      reason: 'the key belongs to ap_helper, and this worker is ap_worker',
      goesOn: true,
    })
    const claims = ids.flatMap((id) => keysThat(bench.emulator, id, 'claimed'))
    expect(claims).toContain('helper')
    expect(ids.map((id) => keysThat(bench.emulator, id, 'completed'))).toEqual([['worker'], ['worker'], ['worker']])
    expect(ids.flatMap((id) => keysThat(bench.emulator, id, 'released'))).toEqual(
      claims.filter((key) => key === 'helper'),
    )
    expect(ids.map((id) => station.runsOf(id).length)).toEqual([1, 1, 1])
  })

  it('leaves the worker not ready when the key before does not work any more', async () => {
    await using bench = await Bench.open({ seed })
    const station = bench.work(() => 'done', { settings: quick })
    await bench.completed(bench.send('one'))
    await exchange(station, bench.emulator, 'helper')
    bench.emulator.suspendKey('worker')
    const id = bench.send('two')
    await station.seen('key.refused')
    await station.seen('worker.notReady')
    await until(() => bench.status(id) === 'pending', 'it is given back')

    expect(station.runsOf(id)).toEqual([])
  })
})
