import { describe, expect, it } from 'vitest'
import { OPS } from '../../support/running-emulator.ts'
import { Bench, until } from '../../support/harness.ts'
import { requests, story } from '../../support/record.ts'
import type { Settings } from '../../support/settings.ts'

const claim = { exclusive: true, timeout: 60_000 } as const
const withInbox = (inbox: NonNullable<Settings['inbox']>): Settings => ({ inbox, claim, poll: { sweep: 200 } })

/** Several sweeps that began after now. */
async function swept(bench: Bench): Promise<void> {
  const sweeps = () => requests(bench.emulator, 'check_inbox').filter(({ params }) => params['since'] === undefined)
  const before = sweeps().length
  await until(() => sweeps().length > before + 3, 'some sweeps')
}

describe.concurrent('inbox.groups (§3)', () => {
  it.for([
    ['a slug', 'ops'],
    ['an id', OPS],
    ['an id in capitals', OPS.toUpperCase()],
  ] as const)('named by %s takes the clinks of that group and claims no others', async ([, group]) => {
    await using bench = await Bench.open()
    const foreign = bench.emulator.send('support', 'foreign').clink_id
    const ids = bench.sendMany(3)
    const station = bench.work(() => 'done', { key: 'robot', settings: withInbox({ groups: [group] }) })
    await bench.completed(ids)
    await swept(bench)

    expect(station.runs).toHaveLength(3)
    expect(story(bench.emulator, foreign)).toEqual(['created'])
  })

  it('waits for the service to say which group a slug names', async () => {
    await using bench = await Bench.open()
    bench.fault({ operation: 'list_groups', times: 3 }, { status: 503 })
    bench.fault({ operation: 'resolve_group', times: 3 }, { status: 503 })
    const id = bench.send('ours')
    const foreign = bench.emulator.send('support', 'foreign').clink_id
    bench.work(() => 'done', { key: 'robot', settings: withInbox({ groups: ['ops'] }) })
    await bench.completed(id)

    expect(story(bench.emulator, foreign)).toEqual(['created'])
  })

  it('finds a group that is made, or joined, later', async () => {
    await using bench = await Bench.open()
    const hidden = bench.fault({ path: '/groups' }, { status: 404 })
    const id = bench.send('ours')
    const station = bench.work(() => 'done', { settings: withInbox({ groups: ['ops'] }) })
    await station.seen('inbox.unknownGroup')
    hidden.remove()
    await bench.completed(id)

    expect(station.runs).toHaveLength(1)
  })
})

describe.concurrent('inbox.ignore (§3, P15)', () => {
  it.for([
    ['id', 'user_bob'],
    ['display name', { name: 'bob' }],
  ] as const)('leaves a sender alone by %s, and nobody else', async ([, sender]) => {
    await using bench = await Bench.open()
    const ignored = bench.send('from bob')
    const id = bench.send('from alice', { from: 'alice' })
    const station = bench.work(() => 'done', { settings: withInbox({ ignore: [sender] }) })
    await bench.completed(id)
    await swept(bench)

    expect(station.runs.map(({ content }) => content)).toEqual(['from alice'])
    expect(story(bench.emulator, ignored)).toEqual(['created'])
  })

  it('takes no display name for an id, and says once what to write (§5)', async () => {
    await using bench = await Bench.open()
    const station = bench.work(() => 'done', { settings: withInbox({ ignore: ['bob', 'user_bo?', 'user_bobby'] }) })
    const ignored = bench.send('from bob')
    await bench.completed(bench.sendMany(3, { from: 'alice' }))
    await swept(bench)
    expect(station.all('config.nameNotMatched')).toEqual([])
    expect(story(bench.emulator, ignored)).toEqual(['created'])

    const other = bench.work(() => 'done', { settings: withInbox({ ignore: ['bob'] }) })
    await bench.completed([ignored, ...bench.sendMany(3)])
    const said = other.all('config.nameNotMatched')
    expect(said).toMatchObject([{ setting: 'inbox.ignore', pattern: 'bob' }])
    expect(said[0]?.advice).toBe(
      'inbox.ignore looks at ids only: write { name: "bob" } if a display name is meant, which anyone may take, or the id, which is "user_bob" for the sender that it fits now',
    )
  })

  it('self: leaves alone what our own key sent, once it is known who we are', async () => {
    await using bench = await Bench.open()
    const station = bench.work(() => 'done', { settings: withInbox({ ignore: ['self'] }) })
    await bench.completed(bench.send('first'))
    const own = bench.send('to nobody', { from: 'worker' })
    const toUs = bench.send('to ourselves', { from: 'worker', for: 'worker' })
    const id = bench.send('work')
    await bench.completed(id)
    await swept(bench)

    expect(station.runs.map(({ content }) => content)).toEqual(['first', 'work'])
    for (const one of [own, toUs]) expect(story(bench.emulator, one)).toEqual(['created'])
  })

  it('self: does not run what our own key sent before it is known who we are', async () => {
    await using bench = await Bench.open()
    const own = bench.send('to nobody', { from: 'worker' })
    const id = bench.send('work')
    const station = bench.work(() => 'done', { settings: withInbox({ ignore: ['self'] }) })
    await bench.completed(id)
    await swept(bench)

    expect(station.runs.map(({ content }) => content)).toEqual(['work'])
    expect(story(bench.emulator, own)).toEqual(['created', 'claimed'])
    await station.daemon.stop('the test says so')
    expect(bench.status(own)).toBe('pending')
  })

  it('self: goes by clink.identity where that is given', async () => {
    await using bench = await Bench.open()
    const own = bench.send('to nobody', { from: 'worker' })
    const id = bench.send('work')
    const settings = { ...withInbox({ ignore: ['self'] }), clink: { identity: 'ap_worker' } }
    const station = bench.work(() => 'done', { settings })
    await bench.completed(id)
    await swept(bench)

    expect(station.runs).toHaveLength(1)
    expect(story(bench.emulator, own)).toEqual(['created'])
  })
})

describe.concurrent('inbox.for (§3)', () => {
  it.for([
    ['me', ['for us']],
    ['open', ['for nobody', 'for us']],
    ['anyone', ['for alice', 'for nobody', 'for us']],
  ] as const)('%s', async ([recipient, expected]) => {
    await using bench = await Bench.open()
    const sent = new Map([
      ['for us', bench.send('for us', { for: 'worker' })],
      ['for nobody', bench.send('for nobody')],
      ['for alice', bench.send('for alice', { for: 'alice' })],
    ])
    const station = bench.work(() => 'done', { settings: withInbox({ for: recipient, claim: 'select' }) })
    await bench.completed(expected.map((text) => sent.get(text) ?? ''))
    await swept(bench)

    expect(station.runs.map(({ content }) => content).sort()).toEqual([...expected])
  })
})

describe.concurrent('inbox.maxAge (§3)', () => {
  it('leaves older clinks alone, also those that grow old while they wait', async () => {
    await using bench = await Bench.open()
    const old = bench.send('old')
    bench.emulator.changeClink(old, { created: bench.emulator.now() - 20_000 })
    const at = bench.emulator.now()
    const ages = bench.send('ages')
    const claimed = { by: 'user_bob', key: 'bob', session: 'web', at, expires: at + 3_600_000 }
    bench.emulator.changeClink(ages, { status: 'claimed', claim: claimed })
    const fresh = bench.send('fresh')
    const station = bench.work(() => 'done', { settings: withInbox({ maxAge: 10_000 }) })
    await bench.completed(fresh)
    bench.emulator.changeClink(ages, { status: 'pending', created: at - 10_001 })
    await swept(bench)

    expect(station.runs.map(({ content }) => content)).toEqual(['fresh'])
    for (const id of [old, ages]) expect(bench.status(id)).toBe('pending')
  })
})
