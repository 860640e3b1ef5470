import { describe, expect, it } from 'vitest'
import { Bench, take, until } from '../../support/harness.ts'
import {
  isClaimingPoll,
  isLookForClaims,
  mostClaimed,
  requests,
  stillClaimed,
  story,
  times,
} from '../../support/record.ts'

const select = { inbox: { claim: 'select' } } as const

describe.concurrent('P6, §3: select', () => {
  it('claims nothing by polling, and no more than can start (P6)', async () => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(30)
    const station = bench.work(async (_, ctx) => await take(20, ctx), { settings: { ...select, concurrency: 3 } })
    await bench.completed(ids)

    const lists = requests(bench.emulator, 'check_inbox')
    const rounds = station.all('poll.succeeded')
    expect(lists.filter(isClaimingPoll)).toEqual([])
    // Most rounds claim what an earlier one has listed, and are no looks at the inbox.
    expect(rounds.length).toBeGreaterThan(lists.length)
    expect(rounds.filter(({ looked }) => looked).length).toBeLessThanOrEqual(lists.length)
    expect(mostClaimed(bench.emulator)).toBeLessThanOrEqual(3)
    for (const id of ids) expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
  })

  it('finds what has cooled down long before the next sweep is due', async () => {
    await using bench = await Bench.open()
    const [id = '', newer = ''] = bench.sendMany(2)
    bench.emulator.changeClink(id, { created: bench.emulator.now() - 60_000 })
    const station = bench.work((clink, ctx) => (station.runsOf(clink.clink_id).length === 1 ? ctx.release() : 'done'), {
      settings: { ...select, retry: { cooldown: 500 }, poll: { sweep: 3_600_000 } },
    })
    await bench.completed([id, newer])

    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'released', 'claimed', 'completed'])
  })

  it('asks for claims of the configured length', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    bench.work(() => 'done', { settings: { ...select, claim: { timeout: 7_000 } } })
    await bench.completed(id)

    const [claimed] = bench.emulator.history(id).filter(({ what }) => what === 'claimed')
    expect((claimed?.expires ?? 0) - (claimed?.at ?? 0)).toBe(7_000)
  })

  it.for([
    ['exclusive', 'present'],
    ['inclusive', 'present'],
    ['exclusive', 'seconds'],
  ] as const)(
    'since %s, times %s: 210 clinks of few moments are all found, each claimed once',
    async ([since, claimTimes]) => {
      await using bench = await Bench.open({ switches: { since, claimTimes } })
      const ids = bench.sendMany(210)
      const station = bench.work(() => undefined, {
        settings: { ...select, claim: { timeout: 60_000 }, concurrency: 20 },
      })
      await bench.completed(ids)

      expect(station.runs).toHaveLength(210)
      for (const id of ids) expect(times(bench.emulator, id, 'claimed')).toBe(1)
    },
  )

  it('goes past 300 clinks of others to the one that is ours', async () => {
    await using bench = await Bench.open()
    const start = bench.emulator.now()
    for (let n = 0; n < 300; n += 1) {
      const { clink_id: one } = bench.emulator.send('support', `foreign ${n}`)
      bench.emulator.changeClink(one, { created: start - 10 * (300 - n) })
    }
    const id = bench.send('ours')
    const station = bench.work(() => 'done', { key: 'robot', settings: { inbox: { groups: ['ops'] } } })
    await bench.completed(id)

    expect(station.runs.map(({ content }) => content)).toEqual(['ours'])
    const foreign = bench.emulator.clinks().filter(({ content }) => content.startsWith('foreign'))
    expect(foreign.filter(({ status }) => status === 'pending')).toHaveLength(300)
    expect(station.daemon.snapshot().starved).toBe(false)
  })

  it('says that it is starved where the order hides what lies behind a page, and stops saying so when it does not', async () => {
    await using bench = await Bench.open({ switches: { inboxOrder: 'newest' } })
    const id = bench.send('ours')
    const foreign = Array.from({ length: 150 }, (_, n) => bench.emulator.send('support', `foreign ${n}`).clink_id)
    const settings = { inbox: { groups: ['ops'] }, poll: { sweep: 1_000 } }
    const station = bench.work(() => 'done', { key: 'robot', settings })
    await station.seen('inbox.starved')
    expect(station.daemon.snapshot().starved).toBe(true)
    expect(station.runs).toEqual([])

    for (const clink of foreign.slice(0, 100)) bench.emulator.changeClink(clink, { status: 'completed' })
    await bench.completed(id)
    await station.seen('inbox.reached')
    expect(station.all('inbox.starved')).toHaveLength(1)
    expect(station.daemon.snapshot().starved).toBe(false)
  })

  it('finds what was released or ran out by the next sweep, without a claim in a circle', async () => {
    await using bench = await Bench.open()
    const first = bench.send('one')
    const settings = { ...select, poll: { sweep: 500 } }
    const claimed = bench.emulator.clink(first)
    if (claimed === undefined) throw new Error('unreachable')
    const now = bench.emulator.now()
    const claim = { by: 'user_bob', key: 'bob', session: 'web', at: now, expires: now + 1_500 }
    bench.emulator.changeClink(first, { status: 'claimed', claim })
    const second = bench.send('two')
    const station = bench.work(() => 'done', { settings })
    await bench.completed([second, first])

    expect(station.runs.map(({ content }) => content)).toEqual(['two', 'one'])
  })

  it.for([[403], [404], [409], [410]])('a %i to one claim concerns that clink only', async ([status]) => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(5)
    bench.fault({ path: `/clinks/${ids[2]}/claim` }, { status: status ?? 0 })
    const station = bench.work(() => 'done', { settings: select })
    await bench.completed(ids.filter((_, n) => n !== 2))

    expect(station.runsOf(ids[2] ?? '')).toEqual([])
    expect(station.all('poll.failed')).toEqual([])
  })

  it('a key that may claim nothing is refused, not taken for an empty inbox (§8, P12)', async () => {
    await using bench = await Bench.open()
    bench.emulator.permitKey('worker', ['clinks:read'])
    const id = bench.send('work')
    const settings = { ...select, claim: { exclusive: true } }
    const station = bench.work(() => 'done', { settings })
    const { reason } = await station.seen('worker.notReady')
    expect(reason).toContain('clinks:write')
    expect(station.daemon.readiness().ready).toBe(false)
    expect(station.all('worker.ready')).toEqual([])

    const once = bench.work(() => 'done', { settings, once: {} })
    expect(await once.ended()).toBe(77)

    bench.emulator.permitKey('worker', ['clinks:read', 'clinks:write'])
    const next = bench.work(() => 'done', { settings, once: {} })
    expect(await next.ended()).toBe(0)
    await bench.completed(id)
  })

  it('is told to wait by a 429 to a claim, and waits', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    bench.fault({ operation: 'claim_clink', nth: 1 }, { status: 429, headers: { 'retry-after': '1' } })
    const station = bench.work(() => 'done', { settings: select })
    const { wait } = await station.seen('poll.failed')
    await bench.completed(id)

    expect(wait).toBeGreaterThanOrEqual(1_000)
  })

  it('one malformed clink does not hurt the others', async () => {
    await using bench = await Bench.open()
    const bad = bench.send('bad')
    bench.emulator.changeClink(bad, { content: 7 as unknown as string })
    const ids = bench.sendMany(3)
    const station = bench.work(() => 'done', { settings: select })
    await bench.completed(ids)

    expect(station.all('clink.leftAlone').map(({ clinkId, why }) => [clinkId, why])).toContainEqual([bad, 'malformed'])
  })

  it('takes only what is wanted: ignore, for: me and maxAge', async () => {
    await using bench = await Bench.open()
    const ignored = bench.send('from alice', { from: 'alice', for: 'worker' })
    const forAll = bench.send('for all')
    const old = bench.send('old', { for: 'worker' })
    bench.emulator.changeClink(old, { created: bench.emulator.now() - 3_600_000 })
    const wanted = bench.send('wanted', { for: 'worker' })
    const inbox = { ignore: ['user_alice', 'self'], for: 'me', maxAge: 60_000 } as const
    const station = bench.work(() => 'done', { settings: { inbox } })
    await bench.completed(wanted)

    expect(station.runs.map(({ content }) => content)).toEqual(['wanted'])
    for (const id of [ignored, forAll, old]) expect(story(bench.emulator, id)).toEqual(['created'])
  })

  it('names a group that does not exist', async () => {
    await using bench = await Bench.open()
    const station = bench.work(() => 'done', { settings: { inbox: { groups: ['opps'] } } })
    expect((await station.seen('inbox.unknownGroup')).group).toBe('opps')
  })

  it('works the inbox empty with --once, and ends (§9)', async () => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(25)
    const foreign = bench.emulator.send('support', 'foreign').clink_id
    const settings = { inbox: { groups: ['ops'] }, concurrency: 3 }
    const station = bench.work(async (_, ctx) => await take(20, ctx), { key: 'robot', once: {}, settings })

    expect(await station.ended()).toBe(0)
    for (const id of ids) expect(bench.status(id)).toBe('completed')
    expect(bench.status(foreign)).toBe('pending')
  })

  it.for([
    ['claim_clink', 3],
    ['check_inbox', 1],
  ] as const)('a stop while a %s is on its way leaves no claim (P8)', async ([operation, count]) => {
    await using bench = await Bench.open()
    bench.sendMany(10)
    bench.fault({ operation, from: count }, { delayAfter: 300 })
    const station = bench.work(async (_, ctx) => await take(60_000, ctx), {
      settings: { ...select, shutdown: { drain: 0 } },
    })
    await until(() => requests(bench.emulator, operation).length >= count, 'on its way')
    await station.close()

    expect(stillClaimed(bench.emulator)).toEqual([])
  })
})

describe.concurrent('§3: auto', () => {
  it('polls with claiming while everything that comes is to be run', async () => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(10)
    bench.work(() => 'done')
    await bench.completed(ids)

    const polls = requests(bench.emulator, 'check_inbox').filter((poll) => !isLookForClaims(poll))
    expect(polls.every(isClaimingPoll)).toBe(true)
    expect(requests(bench.emulator, 'claim_clink')).toEqual([])
  })

  it('selects once a clink is given up, which then is not claimed again (P10)', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 5 } })
    const bad = bench.send('bad')
    const station = bench.work(
      ({ content }) => {
        if (content === 'bad') throw new Error('no')
      },
      { settings: { retry: { attempts: 1 }, claim: { timeout: 5_000 } } },
    )
    await station.seen('clink.deadLettered', bad)
    await bench.completed(bench.send('finds it out'))
    await station.seen('worker.siblings')
    const claims = times(bench.emulator, bad, 'claimed')
    for (let n = 0; n < 5; n += 1) await bench.completed(bench.send(`later ${n}`))
    const last = requests(bench.emulator, 'check_inbox').slice(-3)

    expect(last.some(isClaimingPoll)).toBe(false)
    expect(times(bench.emulator, bad, 'claimed')).toBe(claims)
    expect(station.runsOf(bad)).toHaveLength(1)
  })

  it('stays with polls where siblings are granted, and parks what is not ours', async () => {
    await using bench = await Bench.open({ switches: { identity: 'key' } })
    const other = bench.send('other')
    const station = bench.work(() => 'done', { takes: ({ content }) => content !== 'other' })
    await station.seen('clink.parked', other)
    await until(() => {
      bench.send('mine')
      return station.all('clink.completed').length > 3
    }, 'some are completed')
    // It is found out on one of them, and the others do not wait for that.
    await station.seen('worker.siblings')

    expect(station.all('worker.siblings').map(({ verdict }) => verdict)).toEqual(['granted'])
    expect(station.all('worker.notReady')).toEqual([])
    expect(station.runsOf(other)).toEqual([])
  })

  it('claims nothing more once siblings are granted, also what was about to be claimed (P3)', async () => {
    await using bench = await Bench.open({ switches: { identity: 'key' } })
    const [late] = [bench.send('late'), bench.send('quick')]
    const known = Promise.withResolvers<boolean>()
    const takes = ({ content }: { readonly content: string }) => (content === 'late' ? known.promise : true)
    const station = bench.work(() => 'done', { takes, settings: { inbox: { claim: 'select' } } })
    expect((await station.seen('worker.siblings')).verdict).toBe('granted')
    known.resolve(true)
    await station.seen('poll.succeeded')

    expect(times(bench.emulator, late, 'claimed')).toBe(0)
  })
})
