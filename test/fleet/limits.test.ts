import { setTimeout as delay } from 'node:timers/promises'
import { Client, type QueryResultRow } from 'pg'
import { describe, expect, it } from 'vitest'
import { Secret } from '../../src/base/secret.ts'
import { PostgresStore } from '../../src/fleet/postgres.ts'
import { limitsIn } from '../../src/fleet/postgres-limits.ts'
import type { KeyRight, LimitsAnswer, RateWish } from '../../src/ledger/fleet-limits.ts'
import { clusterOfFile, needPostgres } from '../support/postgres.ts'
import { until } from '../support/until.ts'

const cluster = clusterOfFile()
const key = (token: string, clink = token, name = 'bob'): KeyRight => ({ route: 'work', key: name, token, clink })
const NOTHING = { keys: [], freed: [], rates: [] }

/** Two members on a database that nobody has used. */
class Two implements AsyncDisposable {
  readonly a: PostgresStore
  readonly b: PostgresStore
  readonly url: string

  private constructor(url: string) {
    this.url = url
    ;[this.a, this.b] = [this.member('a'), this.member('b')]
  }

  static async on(context: Parameters<typeof needPostgres>[0]): Promise<Two> {
    needPostgres(context)
    const two = new Two(await cluster.database())
    await Promise.all([two.a.prepare(), two.b.prepare()])
    return two
  }

  member(member: string, fleet = 'one'): PostgresStore {
    return new PostgresStore({ url: new Secret(this.url), fleet, member, name: 'host', version: '1.0.0' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.a.close(), this.b.close()])
  }
}

async function take(store: PostgresStore, keys: readonly KeyRight[], freed: readonly KeyRight[] = [], length = 60_000) {
  return [...(await store.limits.ask({ ...NOTHING, keys, freed }, length)).granted]
}

describe('keys of a fleet', () => {
  it('are given to one member at a time, until it gives them up', async (context) => {
    await using two = await Two.on(context)
    expect(await take(two.a, [key('a1')])).toEqual(['a1'])
    expect(await take(two.b, [key('b1')])).toEqual([])
    expect(await take(two.b, [{ ...key('b2'), route: 'another' }, key('b3', 'b3', 'alice')])).toHaveLength(2)
    // Whoever gives one up and takes it again does both at once; a right that is not there is not given up.
    expect(await take(two.a, [key('a2')], [key('a1')])).toEqual(['a2'])
    expect(await take(two.b, [key('b4')], [key('a1')])).toEqual([])
    expect(await take(two.a, [], [key('a2')])).toEqual([])
    expect(await take(two.b, [key('b5')])).toEqual(['b5'])
    const other = two.member('c', 'another fleet')
    await other.prepare()
    expect(await take(other, [key('c1')])).toEqual(['c1'])
    await other.close()
  })

  it("end by the store's clock, unless they are renewed, and whoever has lost one renews nothing", async (context) => {
    await using two = await Two.on(context)
    const [first, second] = [key('a1'), key('a2', 'a2', 'alice')]
    expect(await take(two.a, [first, second], [], 1_000)).toHaveLength(2)
    expect([...(await two.a.limits.renew([second], 60_000))]).toEqual(['a2'])
    await until(
      async () => (await take(two.b, [key('b1')])).length > 0,
      () => 'it is over',
    )
    expect(await take(two.b, [key('b2', 'b2', 'alice')])).toEqual([])
    expect([...(await two.a.limits.renew([first, second], 60_000))]).toEqual(['a2'])
    expect(await cluster.sql(`SELECT token FROM clink_worker.rights WHERE key = 'bob'`, two.url)).toBe('b1')
  })

  it('of code that goes on past its end are renewed as long as nobody has taken them', async (context) => {
    await using two = await Two.on(context)
    expect(await take(two.a, [key('a1')], [], 1)).toEqual(['a1'])
    await delay(20)
    expect([...(await two.a.limits.renew([key('a1')], 60_000))]).toEqual(['a1'])
    expect(await take(two.b, [key('b1')])).toEqual([])
  })

  it('of a process that is gone go to the next one of its member with the same clink, and to no other', async (context) => {
    await using two = await Two.on(context)
    expect(await take(two.a, [key('a1', 'msg_1')])).toEqual(['a1'])
    expect(await take(two.a, [key('a2', 'msg_2')])).toEqual([])
    expect(await take(two.b, [key('b1', 'msg_1')])).toEqual([])
    expect(await take(two.a, [key('a3', 'msg_1')])).toEqual(['a3'])
  })

  it('of a process that is gone go to the next one with its clink whoever else has waited for them, since nobody else may have them', async (context) => {
    await using two = await Two.on(context)
    expect(await take(two.a, [key('a1', 'msg_1')])).toEqual(['a1'])
    for (const from = performance.now(); performance.now() < from + 1_300; await delay(100))
      expect(await take(two.b, [key('b', 'msg_2')])).toEqual([])
    expect(await take(two.a, [key('a2', 'msg_3')])).toEqual([])
    expect(await take(two.a, [key('a3', 'msg_1')])).toEqual(['a3'])
    expect(await take(two.a, [key('a4', 'msg_4')], [key('a3')]), 'and that one is next').toEqual([])
    expect(await take(two.b, [key('b2', 'msg_2')])).toEqual(['b2'])
  })

  it('go to whoever has waited for more than a second before the member that has just had them', async (context) => {
    await using two = await Two.on(context)
    let held = 'a0'
    expect(await take(two.a, [key(held)])).toEqual([held])
    const started = performance.now()
    let got: readonly string[] = []
    for (let turn = 1; got.length === 0; turn += 1) {
      expect(performance.now() - started).toBeLessThan(10_000)
      const again = await take(two.a, [key(`a${turn}`)], [key(held)])
      if (again.length > 0) held = `a${turn}`
      got = await take(two.b, [key(`b${turn}`)])
      if (performance.now() - started < 900) expect([again, got]).toEqual([[held], []])
      await delay(20)
    }
    // Who waits no more keeps nobody from it.
    await take(two.a, [key('a')])
    await until(
      async () => (await take(two.b, [key('c')], [key(got[0] ?? '')])).length > 0,
      () => 'nobody else wants it any more',
    )
  })

  it('that are not given are told with who has them, and nobody is kept from one by a member that waits no more', async (context) => {
    await using two = await Two.on(context)
    const wish = { ...NOTHING, keys: [key('b1'), key('b2', 'b2', 'alice')] }
    expect(await take(two.a, [key('a1')])).toEqual(['a1'])
    const { granted, holders } = await two.b.limits.ask(wish, 60_000)
    expect([[...granted], [...holders]]).toEqual([['b2'], [['b1', 'a1']]])
    for (const from = performance.now(); performance.now() < from + 1_300; await delay(100))
      expect(await take(two.b, [key('b3')])).toEqual([])
    // It has waited for the longest, so nobody else gets what is free.
    const refused = await two.a.limits.ask({ ...NOTHING, keys: [key('a2')], freed: [key('a1')] }, 60_000)
    expect([...refused.holders.keys()]).toEqual(['a2'])
    expect([...(await two.a.limits.ask({ ...NOTHING, keys: [key('a3')] }, 60_000)).holders]).toEqual([['a3', '']])
    await take(two.b, [], [key('')])
    expect(await take(two.a, [key('a4')])).toEqual(['a4'])
  })

  it("are never two members' at once, however many ask for them at one moment", async (context) => {
    await using two = await Two.on(context)
    const all = [two.a, two.b, two.a, two.b].map((store, index) => ({ store, name: String(index) }))
    let contested = 0
    let left: { readonly store: PostgresStore; readonly keys: readonly KeyRight[] }[] = []
    for (let turn = 0; turn < 100; turn += 1) {
      // Some are free, some are over, and some are given up in the statement in which others ask for them.
      const freed = left.filter((_, index) => (turn + index) % 3 > 0)
      const later = left.filter((one) => !freed.includes(one))
      await Promise.all(later.map(async ({ keys, store }) => await take(store, [], keys)))
      const answers = await Promise.all(
        all.map(async ({ name, store }) => {
          const keys = ['x', 'y', 'z'].map((one) => key(`${turn} ${name} ${one}`, `${turn} ${name} ${one}`, one))
          const mine = freed.flatMap((one) => (one.store === store ? one.keys : []))
          const granted = new Set(await take(store, keys, mine, turn % 7 === 0 ? 1 : 60_000))
          return { store, keys: keys.filter(({ token }) => granted.has(token)) }
        }),
      )
      const names = answers.flatMap(({ keys }) => keys.map((one) => one.key))
      if (turn % 7 > 0) expect(new Set(names).size, names.join(' ')).toBe(names.length)
      contested += names.length
      left = answers.filter(({ keys }) => keys.length > 0)
      if (turn % 7 === 0) await delay(5)
    }
    expect(contested).toBeGreaterThan(100)
  })
})

describe('permits of a fleet', () => {
  const WINDOW = 400
  const ask = async (
    store: PostgresStore,
    wanted: readonly string[],
    ended: RateWish['ended'] = {},
  ): Promise<LimitsAnswer> =>
    await store.limits.ask({ ...NOTHING, rates: [{ route: 'work', count: 5, window: WINDOW, wanted, ended }] }, 1)
  const ids = (name: string, count: number): string[] => Array.from({ length: count }, (_, index) => `${name}${index}`)

  it('begin used up, where nobody knows what has started before', async (context) => {
    await using two = await Two.on(context)
    const first = await ask(two.a, ['a'])
    expect([...first.granted]).toEqual([])
    expect(first.rates.get('work')).toMatchObject({ left: 0 })
    await delay((first.rates.get('work')?.wait ?? 0) + 5)
    expect([...(await ask(two.b, ['b'])).granted]).toEqual(['b'])
  })

  it('count until the moment at which they may be used is a window ago, and from the start where that is known', async (context) => {
    await using two = await Two.on(context)
    await ask(two.a, [])
    await delay(WINDOW + 5)
    expect([...(await ask(two.a, ids('a', 7))).granted]).toEqual(ids('a', 5))
    expect([...(await ask(two.b, ['b'])).granted]).toEqual([])
    // What has started counts from its start, and only once; what was not used does not count.
    await ask(two.a, [], { a0: 0, a1: null, 'not ours': 0 })
    expect([...(await ask(two.b, ['b0', 'b1'])).granted]).toEqual(['b0'])
    await ask(two.a, [], { a0: 0 })
    await delay(WINDOW + 10)
    const third = await ask(two.b, ids('c', 5))
    expect([...third.granted], 'those of which nobody says anything may be used still').toEqual(['c0'])
  })

  it('are left to a member that has waited for more than a second, whoever asks first, unless it waits no more', async (context) => {
    await using two = await Two.on(context)
    const free = (name: string): RateWish['ended'] => Object.fromEntries(ids(name, 5).map((id) => [id, null]))
    await ask(two.a, [])
    await delay(WINDOW + 5)
    expect([...(await ask(two.a, ids('a', 5))).granted]).toEqual(ids('a', 5))
    expect([...(await ask(two.b, ['b0'])).granted]).toEqual([])
    // Who has not waited for so long yet finds what there is gone.
    expect([...(await ask(two.a, ids('c', 5), free('a'))).granted]).toEqual(ids('c', 5))
    await delay(1_050)
    expect([...(await ask(two.b, ['b1'])).granted]).toEqual([])
    const { granted, rates } = await ask(two.a, ids('d', 5), free('c'))
    expect([[...granted], rates.get('work')?.left]).toEqual([ids('d', 4), 1])
    expect([...(await ask(two.b, ['b2'])).granted]).toEqual(['b2'])
    // It has got something, and others have what is left.
    expect([...(await ask(two.a, ids('e', 4), free('d'))).granted]).toEqual(ids('e', 4))
    expect([...(await ask(two.b, ['b3'])).granted]).toEqual([])
    await delay(2_050)
    expect([...(await ask(two.a, ids('f', 4), free('e'))).granted]).toEqual(ids('f', 4))
  })

  it('and keys are not given by a statement that a network has held back until it was given up', async (context) => {
    await using two = await Two.on(context)
    const client = new Client(two.url)
    await client.connect()
    let time = 60_000
    const limits = limitsIn(
      async (sql, values) => (await client.query<QueryResultRow>(sql, [...values])).rows,
      { fleet: 'one', member: 'c' },
      { now: () => time },
    )
    const rates = [{ route: 'work', count: 5, window: WINDOW, wanted: ['c1'], ended: {} }]
    await limits.ask({ ...NOTHING, rates }, 60_000)
    await delay(WINDOW + 5)
    // It was sent seven seconds ago.
    time -= 7_000
    expect([...(await limits.ask({ ...NOTHING, keys: [key('c2')], rates }, 60_000)).granted]).toEqual([])
    expect(await cluster.sql('SELECT count(*) FROM clink_worker.rights', two.url)).toBe('0')
    expect([...(await limits.ask({ ...NOTHING, keys: [key('c3')], rates }, 60_000)).granted].sort()).toEqual([
      'c1',
      'c3',
    ])
    await client.end()
  })

  it('of a route that is gone are forgotten when they matter no more, and those of others are not', async (context) => {
    await using two = await Two.on(context)
    const known = async (): Promise<string> =>
      await cluster.sql('SELECT route FROM clink_worker.rates ORDER BY 1', two.url)
    const rate = { count: 5, window: WINDOW, wanted: [], ended: {} }
    await two.a.limits.ask({ ...NOTHING, rates: ['gone', 'long', 'work'].map((route) => ({ ...rate, route })) }, 1)
    const age = `jsonb_set(asked, '{at}', to_jsonb((asked ->> 'at')::float8 - 60000))`
    await cluster.sql(`UPDATE clink_worker.rates SET asked = ${age} WHERE route <> 'work'`, two.url)
    await two.a.prune(70_000)
    expect(await known()).toBe('gone\nlong\nwork')
    await cluster.sql(
      `UPDATE clink_worker.rates SET asked = asked || '{"window": 70000}' WHERE route = 'long'`,
      two.url,
    )
    await two.a.prune(1_000)
    expect(await known()).toBe('long\nwork')
  })

  it('are never more than the rate in any window, however many members ask and start when they like', async (context) => {
    await using two = await Two.on(context)
    const starts: number[] = []
    const end = performance.now() + 4_000
    const play = async (store: PostgresStore, name: string): Promise<void> => {
      const ended = new Map<string, number | null>()
      for (let turn = 0; performance.now() < end; turn += 1) {
        const now = performance.now()
        const told = Object.fromEntries([...ended].map(([id, at]) => [id, at === null ? null : now - at]))
        ended.clear()
        const { granted } = await ask(store, ids(`${name} ${turn} `, 3), told)
        for (const [index, id] of [...granted].entries()) {
          await delay(index * 7)
          const isUsed = turn % 4 > 0
          if (isUsed) starts.push(performance.now())
          ended.set(id, isUsed ? performance.now() : null)
        }
        await delay(turn % 11)
      }
    }
    await Promise.all([play(two.a, 'a'), play(two.b, 'b'), play(two.a, 'c')])
    expect(starts.length).toBeGreaterThan(15)
    starts.sort((a, b) => a - b)
    for (const [index, at] of starts.entries()) expect((starts[index + 5] ?? Infinity) - at).toBeGreaterThan(WINDOW)
  })
})
