import { describe, expect, it } from 'vitest'
import { Secret } from '../../src/base/secret.ts'
import { PostgresStore } from '../../src/fleet/postgres.ts'
import { USED } from '../../src/fleet/postgres-schema.ts'
import { Member } from '../support/fleet.ts'
import { clusterOfFile, needPostgres } from '../support/postgres.ts'
import { clink } from '../support/sample-records.ts'

const cluster = clusterOfFile()

describe('a role that lacks a privilege', () => {
  it('has its worker say once what it lacks, and stay away until it has it, though all else succeeds', async (context) => {
    needPostgres(context)
    const asOwner = await cluster.database()
    await using _ = await new Member('a', asOwner).start()
    const sql = async (text: string): Promise<string> => await cluster.sql(text, asOwner)
    await sql('CREATE ROLE plain LOGIN')
    await sql('GRANT USAGE ON SCHEMA clink_worker TO plain')
    await sql('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA clink_worker TO plain')
    await sql('GRANT USAGE ON ALL SEQUENCES IN SCHEMA clink_worker TO plain')
    const asPlain = asOwner.replace('postgres@', 'plain@')
    await using b = await new Member('b', asPlain).start()
    const memory = await b.take(clink)
    await b.begin(clink)
    expect(b.fleet.isHealthy).toBe(true)
    await sql('REVOKE DELETE ON clink_worker.parts FROM plain')
    await b.ledger.settled(clink)
    await b.drop(memory)
    const lacks = expect.stringMatching(/this role lacks DELETE on clink_worker\.parts: GRANT it/)
    await expect.poll(() => b.fleet.problem, { timeout: 10_000 }).toEqual(lacks)
    // A few looks, each of which succeeds but for that.
    await new Promise((resolve) => setTimeout(resolve, 3_500))
    expect(b.health).toEqual([lacks])
    // One that starts meanwhile says it as well.
    await using c = await new Member('c', asPlain).start()
    expect(c.health).toEqual([lacks])
    await sql('GRANT DELETE ON clink_worker.parts TO plain')
    await expect.poll(() => b.fleet.isHealthy, { timeout: 10_000 }).toBe(true)
    await expect.poll(async () => await sql('SELECT count(*) FROM clink_worker.parts')).toBe('0')
    expect(b.health).toEqual([expect.anything(), undefined])
  }, 60_000)

  it('is told what was revoked, be it the schema, a sequence, or the database', async (context) => {
    needPostgres(context)
    const asOwner = await cluster.database()
    await using _ = await new Member('a', asOwner).start()
    const sql = async (text: string): Promise<string> => await cluster.sql(text, asOwner)
    await sql('CREATE ROLE other LOGIN')
    await sql('GRANT USAGE ON SCHEMA clink_worker TO other')
    await sql('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA clink_worker TO other')
    await sql('GRANT USAGE ON ALL SEQUENCES IN SCHEMA clink_worker TO other')
    const asOther = asOwner.replace('postgres@', 'other@')
    for (const [on, lacks] of [
      ['USAGE ON SCHEMA clink_worker', 'USAGE on the schema clink_worker'],
      ['USAGE ON SEQUENCE clink_worker.processes', 'USAGE on clink_worker.processes'],
      ['INSERT ON clink_worker.members', 'INSERT on clink_worker.members'],
      // What a worker that only waits does not need, and is to say all the same.
      ['SELECT ON clink_worker.steps', 'SELECT on clink_worker.steps'],
      ['UPDATE ON clink_worker.rights', 'UPDATE on clink_worker.rights'],
      ['DELETE ON clink_worker.writers', 'DELETE on clink_worker.writers'],
    ] as const) {
      const store = new PostgresStore({ url: new Secret(asOther), fleet: 'one', member: 'b', name: 'b', version: '1' })
      await store.prepare()
      await sql(`REVOKE ${on} FROM other`)
      await expect(store.beat()).rejects.toThrow(`this role lacks ${lacks}: GRANT it (docs/fleet.md)`)
      await sql(`GRANT ${on} TO other`)
      await store.close()
    }
    const [database = ''] = /[^/?]+(?=\?|$)/.exec(asOwner) ?? []
    await sql(`REVOKE CONNECT ON DATABASE "${database}" FROM PUBLIC`)
    const store = new PostgresStore({ url: new Secret(asOther), fleet: 'one', member: 'b', name: 'b', version: '1' })
    await expect(store.prepare()).rejects.toThrow(`this role lacks CONNECT on the database "${database}": GRANT it`)
    await store.close()
  }, 60_000)

  it('is noticed by a worker that runs within seconds, before the worker needs it', async (context) => {
    needPostgres(context)
    const asOwner = await cluster.database()
    await using _ = await new Member('a', asOwner).start()
    const sql = async (text: string): Promise<string> => await cluster.sql(text, asOwner)
    await sql('CREATE ROLE idle LOGIN')
    await sql('GRANT USAGE ON SCHEMA clink_worker TO idle')
    await sql('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA clink_worker TO idle')
    await sql('GRANT USAGE ON ALL SEQUENCES IN SCHEMA clink_worker TO idle')
    const [database = ''] = /[^/?]+(?=\?|$)/.exec(asOwner) ?? []
    await sql(`REVOKE CONNECT ON DATABASE "${database}" FROM PUBLIC`)
    await sql(`GRANT CONNECT ON DATABASE "${database}" TO idle`)
    await using b = await new Member('b', asOwner.replace('postgres@', 'idle@')).start()
    expect(b.fleet.isHealthy).toBe(true)
    for (const [on, lack] of [
      ['USAGE ON SEQUENCE clink_worker.processes', 'USAGE on clink_worker.processes'],
      [`CONNECT ON DATABASE "${database}"`, `CONNECT on the database "${database}"`],
    ] as const) {
      await sql(`REVOKE ${on} FROM idle`)
      const said = expect.stringContaining(`this role lacks ${lack}: GRANT it`)
      await expect.poll(() => b.fleet.problem, { timeout: 7_000 }).toEqual(said)
      await sql(`GRANT ${on} TO idle`)
      await expect.poll(() => b.fleet.isHealthy, { timeout: 7_000 }).toBe(true)
    }
    expect(b.health).toHaveLength(4)
  }, 90_000)

  it('is looked for in what a worker uses, and in nothing else', async (context) => {
    needPostgres(context)
    const asOwner = await cluster.database()
    await using a = await new Member('a', asOwner).start()
    const relations = `SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class c JOIN pg_namespace s ON s.oid = relnamespace
      WHERE nspname = 'clink_worker' AND relkind IN ('r', 'S')`
    expect(await cluster.sql(relations, asOwner)).toBe([...USED].toSorted().join(' '))
    expect(a.health).toEqual([])
  })
})
