import { describe, expect, it } from 'vitest'
import { Secret } from '../../src/base/secret.ts'
import { PostgresStore } from '../../src/fleet/postgres.ts'
import { VERSION } from '../../src/fleet/postgres-schema.ts'
import type { Batch } from '../../src/fleet/store.ts'
import { clusterOfFile, needPostgres } from '../support/postgres.ts'

const NOTHING: Batch = { over: [], parts: [], notes: [], steps: { dropped: [], removed: [], kept: [] } }
/** @param isNew another one of its clink: a number, by which it is told apart. */
const letter = (id: string, row: string | null, isNew: number | false = 1) => {
  const known = { keys: ['seen'], was: [[null, 0]] } as const
  const edit = isNew === false ? known : { ...known, born: `a ${isNew}` }
  return { kind: 'letters', id, row, isNew: isNew !== false, edit } as const
}
const part = (clink: string, attempts: string | null, result: string | null = null) => ({ clink, attempts, result })
const newPart = (...given: Parameters<typeof part>) => ({ ...part(...given), isNew: true })

const cluster = clusterOfFile()

/** Members of fleets on one database that nobody has used. */
class Members implements AsyncDisposable {
  readonly url: string
  readonly #open: PostgresStore[] = []

  private constructor(url: string) {
    this.url = url
  }

  static async of(context: Parameters<typeof needPostgres>[0]): Promise<Members> {
    needPostgres(context)
    return new Members(await cluster.database())
  }

  member(member: string, fleet = 'one', url = this.url): PostgresStore {
    const store = new PostgresStore({ url: new Secret(url), fleet, member, name: 'host', version: '1.0.0' })
    this.#open.push(store)
    return store
  }

  async prepared(member: string, fleet?: string): Promise<PostgresStore> {
    const store = this.member(member, fleet)
    await store.prepare()
    return store
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#open.map(async (store) => await store.close()))
  }
}

describe('the store in PostgreSQL', () => {
  it('is made once by members that start together', async (context) => {
    await using members = await Members.of(context)
    const stores = ['a', 'b', 'c', 'd'].map((name) => members.member(name))
    await Promise.all(stores.map(async (store) => await store.prepare()))
    expect(await Promise.all(stores.map(async (store) => await store.beat()))).toEqual(Array(4).fill(undefined))
    expect(await cluster.sql('SELECT version, needs FROM clink_worker.meta', members.url)).toBe(`${VERSION}|1`)
  })

  it('needs no right to make anything where all is made', async (context) => {
    await using members = await Members.of(context)
    await members.prepared('a')
    await cluster.sql('CREATE ROLE plain LOGIN', members.url)
    await cluster.sql('GRANT USAGE ON SCHEMA clink_worker TO plain', members.url)
    await cluster.sql('GRANT ALL ON ALL TABLES IN SCHEMA clink_worker TO plain', members.url)
    await cluster.sql('GRANT ALL ON ALL SEQUENCES IN SCHEMA clink_worker TO plain', members.url)
    const plain = members.member('b', 'one', members.url.replace('postgres@', 'plain@'))
    await plain.prepare()
    await plain.write({ ...NOTHING, parts: [newPart('c', '{}')] })
    expect((await plain.recall(['c'])).parts).toEqual([])
  })

  it('gives each member the parts of the others, and all the notes', async (context) => {
    await using members = await Members.of(context)
    const [a, b] = [await members.prepared('a'), await members.prepared('b')]
    await a.write({
      ...NOTHING,
      parts: [newPart('c1', '{"count":1}', '{"is":"\\u0000"}')],
      notes: [letter('c2', '{}')],
    })
    expect(await b.recall(['c1', 'c2', 'c3'])).toEqual({
      parts: [{ ...part('c1', '{"count":1}', '{"is":"\\u0000"}'), member: 'a' }],
      mine: [],
      notes: [{ kind: 'letters', id: 'c2', row: '{}' }],
    })
    expect(await a.recall(['c1'])).toEqual({ parts: [], mine: ['c1'], notes: [] })
  })

  it('keeps of clinks that are over what this member has left, and nothing of others', async (context) => {
    await using members = await Members.of(context)
    const [a, b, c] = [await members.prepared('a'), await members.prepared('b'), await members.prepared('c')]
    const parts = [newPart('kept', '{"count":1}'), newPart('gone', '{"count":1}')]
    for (const store of [a, b]) await store.write({ ...NOTHING, parts })
    await a.write({ ...NOTHING, over: ['kept', 'gone'], parts: [newPart('kept', null, '{}')] })
    expect((await c.recall(['kept', 'gone'])).parts).toEqual([{ ...part('kept', null, '{}'), member: 'a' }])
  })

  it('takes of a part that it does not have, and that is not new, nothing: somebody has ended it', async (context) => {
    await using members = await Members.of(context)
    const [a, b] = [await members.prepared('a'), await members.prepared('b')]
    const changed = (count: number): Batch => {
      return { ...NOTHING, parts: [{ ...part('c', `{"count":${count}}`), isNew: false }] }
    }
    await a.write({ ...NOTHING, parts: [newPart('c', '{"count":1}')] })
    await a.write(changed(2))
    const before = (await b.recall(['c'])).parts
    await b.write({ ...NOTHING, over: ['c'] })
    await a.write(changed(3))
    expect(before).toEqual([{ ...part('c', '{"count":2}'), member: 'a' }])
    expect((await b.recall(['c'])).parts).toEqual([])
    await a.write({ ...changed(1), parts: [newPart('c', '{"count":1}')] })
    expect((await b.recall(['c'])).parts).toEqual([{ ...part('c', '{"count":1}'), member: 'a' }])
  })

  it('does not take what a process before this one has written late', async (context) => {
    await using members = await Members.of(context)
    const [before, now] = [await members.prepared('a'), await members.prepared('a')]
    await now.write({ ...NOTHING, parts: [newPart('c', '{"count":2}')] })
    const late = before.write({ ...NOTHING, parts: [newPart('c', '{"count":1}'), newPart('other', '{}')] })
    await expect(late).rejects.toThrow('another process of this worker has written since')
    expect(await cluster.sql('SELECT clink, attempts FROM clink_worker.parts', members.url)).toBe('c|{"count":2}')
  })

  it('takes what a process writes whose number others have had, as after a failover that lost the last seconds', async (context) => {
    await using members = await Members.of(context)
    const before = await members.prepared('a')
    await before.write({ ...NOTHING, parts: [newPart('c', '{"count":1}')] })
    await cluster.sql(`SELECT setval('clink_worker.processes', 1, false)`, members.url)
    const now = await members.prepared('a')
    await now.write({ ...NOTHING, parts: [newPart('c', '{"count":2}')] })
    expect(await cluster.sql('SELECT attempts FROM clink_worker.parts', members.url)).toBe('{"count":2}')
  })

  it('says to whoever looks what would keep a worker from using it', async (context) => {
    await using members = await Members.of(context)
    const a = members.member('a')
    expect(await a.look()).toBe(false)
    await cluster.sql('CREATE ROLE looker LOGIN', members.url)
    const looker = members.member('b', 'one', members.url.replace('postgres@', 'looker@'))
    await expect(looker.look()).rejects.toThrow('may not make the schema clink_worker')
    await a.prepare()
    expect(await a.look()).toBe(true)
    await expect(looker.look()).rejects.toThrow('this role lacks USAGE on the schema clink_worker')
    await cluster.sql(`UPDATE clink_worker.meta SET needs = ${VERSION + 1}`, members.url)
    await expect(a.look()).rejects.toThrow('made for a newer clink-worker')
    const name = members.url.replace(/^.*@\/(\w+).*$/, '$1')
    await cluster.sql(`ALTER DATABASE ${name} SET default_transaction_read_only = on`, 'postgres')
    await expect(members.member('c').look()).rejects.toThrow('it can only be read')
  })

  it('does not bring back what another member has removed', async (context) => {
    await using members = await Members.of(context)
    const [a, b] = [await members.prepared('a'), await members.prepared('b')]
    await a.write({ ...NOTHING, notes: [letter('c', '{"seen":1}')] })
    await b.write({ ...NOTHING, notes: [letter('c', null, false)] })
    await a.write({ ...NOTHING, notes: [letter('c', '{"seen":2}', false)] })
    expect((await b.recall(['c'])).notes).toEqual([])
    await a.write({ ...NOTHING, notes: [letter('c', '{"again":1}', 2)] })
    expect((await b.recall(['c'])).notes).toHaveLength(1)
  })

  it('tells of letters that have changed or gone since the last look', async (context) => {
    await using members = await Members.of(context)
    const [a, b] = [await members.prepared('a'), await members.prepared('b')]
    await a.write({ ...NOTHING, notes: [letter('c1', '{}'), letter('c2', '{}')] })
    const first = await b.changes(undefined)
    expect(first.isWhole).toBe(true)
    expect(first.notes.map(({ id }) => id).sort()).toEqual(['c1', 'c2'])
    await a.write({ ...NOTHING, notes: [letter('c2', null, false), letter('c3', '{}')] })
    const { isWhole, notes } = await b.changes(first.next)
    expect(isWhole).toBe(false)
    expect(notes.toSorted((one, other) => one.id.localeCompare(other.id))).toEqual([
      { kind: 'letters', id: 'c2', row: null },
      { kind: 'letters', id: 'c3', row: '{}' },
    ])
  })

  it('tells of a change that was under way at the last look', async (context) => {
    await using members = await Members.of(context)
    const [a, b] = [await members.prepared('a'), await members.prepared('b')]
    await a.write({ ...NOTHING, notes: [letter('c1', '{}')] })
    // An earlier transaction that is committed after a later one, and after the look.
    const slow = cluster.sql(
      `BEGIN; UPDATE clink_worker.notes SET row = '{"slow":1}', changed = pg_current_xact_id(); SELECT pg_sleep(0.5); COMMIT`,
      members.url,
    )
    await expect.poll(async () => await cluster.sql(SLEEPING, members.url), { interval: 10 }).toBe('1')
    await a.write({ ...NOTHING, notes: [letter('c2', '{}')] })
    const look = await b.changes((await b.changes(undefined)).next)
    await slow
    const { notes } = await b.changes(look.next)
    expect(notes).toContainEqual({ kind: 'letters', id: 'c1', row: '{"slow":1}' })
  })

  it('tells all that there is to whoever was away for longer than it knows what is gone', async (context) => {
    await using members = await Members.of(context)
    const a = await members.prepared('a')
    await a.write({ ...NOTHING, notes: [letter('c1', '{}')] })
    const { next } = await a.changes(undefined)
    const [xid = ''] = next.split(':')
    expect((await a.changes(`${xid}:1000`)).isWhole).toBe(true)
    // Another database, whose numbers are lower.
    expect((await a.changes(`${BigInt(xid) + 1_000_000n}:${next.split(':')[1] ?? ''}`)).isWhole).toBe(true)
    expect((await a.changes(next)).isWhole).toBe(false)
  })

  it('keeps steps by their names, and drops all of a clink', async (context) => {
    await using members = await Members.of(context)
    const a = await members.prepared('a')
    const step = (name: string) => ({ clink: 'c', is: 'step', name, content: 'x', value: '1', at: 5 }) as const
    const steps = { dropped: [], removed: [], kept: [step('one'), step('two')] }
    await a.write({ ...NOTHING, steps })
    await a.write({ ...NOTHING, steps: { dropped: [], removed: [step('one')], kept: [] } })
    expect((await a.steps('c')).map(({ name }) => name)).toEqual(['two'])
    await a.write({ ...NOTHING, steps: { dropped: ['c'], removed: [], kept: [step('new')] } })
    expect((await a.steps('c')).map(({ name }) => name)).toEqual(['new'])
  })

  it('shares nothing between fleets', async (context) => {
    await using members = await Members.of(context)
    const [a, b] = [await members.prepared('a', 'one'), await members.prepared('b', 'two')]
    const steps = {
      ...NOTHING.steps,
      kept: [{ clink: 'c', is: 'step', name: 'n', content: 'x', value: '', at: 1 }],
    } as const
    await a.write({ ...NOTHING, parts: [newPart('c', '{}')], notes: [letter('c', '{}')], steps })
    await b.write({
      ...NOTHING,
      over: ['c'],
      notes: [letter('c', null, false)],
      steps: { ...NOTHING.steps, dropped: ['c'] },
    })
    expect(await b.recall(['c'])).toEqual({ parts: [], mine: [], notes: [] })
    expect(await b.steps('c')).toEqual([])
    expect((await b.changes(undefined)).notes).toEqual([])
    expect((await a.recall(['c'])).notes).toHaveLength(1)
    expect(await a.steps('c')).toHaveLength(1)
  })

  it('refuses a member that is too old for it, and says so', async (context) => {
    await using members = await Members.of(context)
    const a = await members.prepared('a')
    await cluster.sql(`UPDATE clink_worker.meta SET version = ${VERSION + 2}, needs = ${VERSION + 1}`, members.url)
    await a.prepare()
    expect(await a.beat()).toMatch(/made for a newer clink-worker .* update this worker/)
    expect(await cluster.sql('SELECT version FROM clink_worker.meta', members.url)).toBe(String(VERSION + 2))
  })

  it('is brought up to date by a member of this version, while one of the version before works on', async (context) => {
    await using members = await Members.of(context)
    const a = await members.prepared('a')
    await cluster.sql('ALTER TABLE clink_worker.members DROP COLUMN shows', members.url)
    await cluster.sql('UPDATE clink_worker.meta SET version = 1', members.url)
    expect(await a.members()).toEqual([])
    const b = await members.prepared('b')
    await cluster.sql(BEAT_OF_VERSION_1, members.url)
    await b.beat('{}')
    expect(await b.members()).toMatchObject([
      { member: 'b', version: '1.0.0', signs: null },
      { member: 'old', version: '0.9.0', signs: null },
    ])
  })

  it('lists its members: what they say, for how long they were not seen, and none that has left', async (context) => {
    await using members = await Members.of(context)
    const [a, b] = [await members.prepared('a'), await members.prepared('b')]
    const url = new Secret(members.url)
    const c = new PostgresStore({ url, fleet: 'one', member: 'c', name: 'host', version: '1.0.0' })
    const signs = { pid: 7, isReady: false, reasons: ['why'], inHand: 3, taken: 2, slots: 4, routes: [] }
    await a.beat(JSON.stringify({ ...signs, later: 'more' }))
    for (const store of [b, c, members.member('d', 'other')]) await store.beat('no JSON')
    await cluster.sql(`UPDATE clink_worker.members SET seen = seen - interval '1 min' WHERE member = 'b'`, members.url)
    await c.close(true)
    const [first, second, ...more] = await a.members()
    expect(more).toEqual([])
    expect(first).toMatchObject({ member: 'a', name: 'host (a)', isSilent: false, signs })
    expect(second).toMatchObject({ member: 'b', name: 'host (b)', isSilent: true, signs: null })
    expect((second?.age ?? 0) - (first?.age ?? 0)).toBeGreaterThan(50_000)
  })

  it('forgets what no member has seen for long, and nothing of a clink that one has', async (context) => {
    await using members = await Members.of(context)
    const [a, b] = [await members.prepared('a'), await members.prepared('b')]
    const parts = [newPart('old', '{}'), newPart('seen', '{}')]
    for (const store of [a, b]) await store.write({ ...NOTHING, parts })
    await cluster.sql(
      `UPDATE clink_worker.parts SET at = at - interval '2 days' WHERE clink = 'old' OR member = 'a'`,
      members.url,
    )
    await a.prune(86_400_000)
    const left = await cluster.sql('SELECT clink, member FROM clink_worker.parts ORDER BY 1, 2', members.url)
    expect(left.split('\n')).toEqual(['seen|a', 'seen|b'])
  })

  it('ends a statement that hangs, and works on with another connection', async (context) => {
    await using members = await Members.of(context)
    const a = await members.prepared('a')
    await a.write({ ...NOTHING, parts: [newPart('c', '{}')] })
    const lock = cluster.sql('BEGIN; LOCK TABLE clink_worker.parts; SELECT pg_sleep(5); COMMIT', members.url)
    await expect.poll(async () => await cluster.sql(SLEEPING, members.url), { interval: 10 }).toBe('1')
    await expect(a.write({ ...NOTHING, parts: [newPart('c', '{"n":1}')] })).rejects.toThrow('statement timeout')
    await lock
    await a.write({ ...NOTHING, parts: [newPart('c', '{"n":2}')] })
    expect(await cluster.sql('SELECT attempts FROM clink_worker.parts', members.url)).toBe('{"n":2}')
  })

  it('is away while it can only be read', async (context) => {
    await using members = await Members.of(context)
    const a = await members.prepared('a')
    const name = members.url.replace(/^.*@\/(\w+).*$/, '$1')
    await cluster.sql(`ALTER DATABASE ${name} SET default_transaction_read_only = on`, 'postgres')
    const b = members.member('b')
    await expect(b.beat()).rejects.toThrow('it can only be read')
    expect(a.isOfTheData(await b.beat().catch((error: unknown) => error))).toBe(false)
  })

  it('shows no password in what it says', async (context) => {
    await using members = await Members.of(context)
    for (const url of ['postgresql://me:s3cr%40t@127.0.0.1:1/base', 'postgresql://me:s3cr%40t@/base?host=/nowhere']) {
      const store = members.member('a', 'one', url)
      const error = await store.beat().catch((one: unknown) => one)
      expect(`${String(error)} ${JSON.stringify(error)} ${store.place}`).not.toMatch(/s3cr/)
    }
  })
})

const SLEEPING = `SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()`

const BEAT_OF_VERSION_1 = `INSERT INTO clink_worker.members (fleet, member, name, version) VALUES ('one', 'old', 'host', '0.9.0')`
