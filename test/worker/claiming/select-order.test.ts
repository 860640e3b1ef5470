import { describe, expect, it } from 'vitest'
import type { Switches } from '../../../src/emulator/emulator.ts'
import { Bench, take, until } from '../../support/harness.ts'
import { requests, story, times } from '../../support/record.ts'

/** Long enough for a loaded machine: nothing here is about the end of a claim. */
const patient = { claim: { timeout: 60_000 } } as const
const select = { ...patient, inbox: { claim: 'select' } } as const

/** Clinks of another group, each of a moment of its own, the newest of them just before now. */
function sendForeign(bench: Bench, count: number, options: { for?: string; group?: string } = {}): string[] {
  const now = bench.emulator.now()
  return Array.from({ length: count }, (_, n) => {
    const sent = bench.emulator.send(options.group ?? 'support', `foreign ${n}`, { from: 'alice', ...options })
    bench.emulator.changeClink(sent.clink_id, { created: now - 5 * (count - n) })
    return sent.clink_id
  })
}

function expectUntouched(bench: Bench, ids: readonly string[]): void {
  for (const id of ids) expect(story(bench.emulator, id)).toEqual(['created'])
}

describe.concurrent('§3: 300 clinks in front that are not ours', () => {
  it('addressed to nobody, with for: me: the one for us is found', async () => {
    await using bench = await Bench.open()
    const foreign = sendForeign(bench, 300, { group: 'ops' })
    const id = bench.send('ours', { for: 'worker' })
    const station = bench.work(() => 'done', { settings: { ...patient, inbox: { for: 'me' } } })
    await bench.completed(id)

    expect(station.runs.map(({ content }) => content)).toEqual(['ours'])
    expectUntouched(bench, foreign)
  })

  it('without a route: the one that has one is found, though parked claims are all that polls bring', async () => {
    await using bench = await Bench.open()
    const foreign = sendForeign(bench, 300, { group: 'ops' })
    const id = bench.send('ours')
    const settings = { ...patient, claim: { timeout: 60_000, exclusive: true } }
    const station = bench.work(() => 'done', { takes: ({ content }) => content === 'ours', settings })
    await bench.completed(id)

    expect(station.runs.map(({ content }) => content)).toEqual(['ours'])
    const claimed = foreign.filter((one) => story(bench.emulator, one).includes('claimed'))
    expect(claimed.length).toBeLessThanOrEqual(10)
  })

  it.for<[string, Partial<Switches>]>([
    ['newest', { inboxOrder: 'newest', maxLimit: 'cap:1600' }],
    ['random', { inboxOrder: 'random', maxLimit: 'cap:1600' }],
  ])('%s first, with pages as large as that: ours is found, and nothing is out of reach', async ([, switches]) => {
    await using bench = await Bench.open({ switches })
    const id = bench.send('ours')
    const foreign = sendForeign(bench, 300)
    for (const one of foreign) bench.emulator.changeClink(one, { created: bench.emulator.now() })
    const station = bench.work(() => 'done', { key: 'robot', settings: { ...patient, inbox: { groups: ['ops'] } } })
    await bench.completed(id)

    expect(station.all('inbox.starved')).toEqual([])
    expect(station.daemon.snapshot().starved).toBe(false)
    expectUntouched(bench, foreign)
  })

  it.for(['cap:100', 'reject:100'] as const)(
    'newest first, with a limit of %s: it is said once that ours are out of reach, and new ones are worked',
    async (maxLimit) => {
      await using bench = await Bench.open({ switches: { inboxOrder: 'newest', maxLimit } })
      const hidden = bench.send('hidden')
      bench.emulator.changeClink(hidden, { created: bench.emulator.now() - 60_000 })
      sendForeign(bench, 300)
      const settings = { ...patient, inbox: { groups: ['ops'] }, poll: { sweep: 300 } }
      const station = bench.work(() => 'done', { key: 'robot', settings })
      await station.seen('inbox.starved')
      const fresh = bench.send('fresh')
      await bench.completed(fresh)
      const sweeps = () => requests(bench.emulator, 'check_inbox').filter(({ params }) => params['since'] === undefined)
      const before = sweeps().length
      await until(() => sweeps().length > before + 4, 'some more sweeps')

      expect(station.all('inbox.starved')).toHaveLength(1)
      expect(station.daemon.snapshot().starved).toBe(true)
      expect(station.all('poll.failed')).toEqual([])
      expect(bench.status(hidden)).toBe('pending')
    },
  )

  it.for(['newest', 'random'] as const)(
    '%s, with pages of 20 and foreign ones without a route among ours: all of ours are worked',
    async (inboxOrder) => {
      await using bench = await Bench.open({ switches: { inboxOrder, maxLimit: 'cap:20' } })
      const ids = bench.sendMany(50)
      for (let n = 0; n < 30; n += 1) {
        bench.send(`foreign ${n}`)
        ids.push(bench.send(`ours ${n}`))
      }
      const station = bench.work(() => 'done', {
        takes: ({ content }) => !content.startsWith('foreign'),
        settings: { claim: { timeout: 60_000, exclusive: true } },
      })
      await bench.completed(ids)

      expect(station.runs).toHaveLength(80)
    },
  )

  it('random, with a limit of 100: ours is found, since each page shows others', async () => {
    await using bench = await Bench.open({ switches: { inboxOrder: 'random' } })
    const id = bench.send('ours')
    const foreign = sendForeign(bench, 300)
    const settings = { ...patient, inbox: { groups: ['ops'] }, poll: { sweep: 300 } }
    const station = bench.work(() => 'done', { key: 'robot', settings })
    await bench.completed(id)

    expect(station.runs).toHaveLength(1)
    expectUntouched(bench, foreign)
  })
})

describe.concurrent('§3: a backlog that is all ours', () => {
  it.for<[Partial<Switches>]>([
    [{ inboxOrder: 'oldest', claimTimes: 'seconds' }],
    [{ inboxOrder: 'oldest', since: 'inclusive', claimTimes: 'seconds' }],
    [{ inboxOrder: 'newest' }],
    [{ inboxOrder: 'random' }],
    [{ inboxOrder: 'newest', maxLimit: 'reject:100' }],
    [{ inboxOrder: 'newest', maxLimit: 'cap:1600' }],
    [{ inboxOrder: 'newest', maxLimit: 'cap:20' }],
    [{ inboxOrder: 'random', maxLimit: 'cap:20' }],
  ])('of 230 clinks is worked whole within one sweep, each clink once: %o', async ([switches]) => {
    await using bench = await Bench.open({ switches })
    const ids = bench.sendMany(230)
    // Slow enough for lists to become too old to claim from.
    const settings = { ...select, claim: { timeout: 20_000 }, concurrency: 10 }
    const station = bench.work(async (_, ctx) => await take(60, ctx), { settings })
    await bench.completed(ids)

    expect(station.runs).toHaveLength(230)
    for (const id of ids) expect(times(bench.emulator, id, 'claimed')).toBe(1)
  })

  it('of one moment, which more foreign clinks share than a page holds, is worked or said to be out of reach', async () => {
    await using bench = await Bench.open()
    const at = bench.emulator.now() - 60_000
    for (let n = 0; n < 150; n += 1)
      bench.emulator.changeClink(bench.emulator.send('support', 'foreign').clink_id, { created: at })
    const id = bench.send('ours')
    bench.emulator.changeClink(id, { created: at })
    const settings = { ...patient, inbox: { groups: ['ops'] }, poll: { sweep: 300 } }
    const station = bench.work(() => 'done', { key: 'robot', settings })
    await station.seen('inbox.starved')
    bench.emulator.setSwitches({ maxLimit: 'cap:1600' })
    await bench.completed(id)

    expect(station.runs).toHaveLength(1)
  })

  it('that comes back is found by the next sweep: a release by somebody else, and a claim that ran out', async () => {
    await using bench = await Bench.open()
    const [released, expired] = [bench.send('released'), bench.send('expired')]
    const now = bench.emulator.now()
    const by = { by: 'user_alice', key: 'alice', session: 'web', at: now }
    bench.emulator.changeClink(released, { status: 'claimed', claim: { ...by, expires: now + 3_600_000 } })
    bench.emulator.changeClink(expired, { status: 'claimed', claim: { ...by, expires: now + 1_000 } })
    const station = bench.work(() => 'done', { settings: { ...select, poll: { sweep: 400 } } })
    await bench.completed(bench.send('newer'))
    bench.emulator.changeClink(released, { status: 'pending' })
    await bench.completed([released, expired])

    expect(station.runs.map(({ content }) => content).sort()).toEqual(['expired', 'newer', 'released'])
  })
})
