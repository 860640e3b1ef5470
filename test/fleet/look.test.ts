import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Secret } from '../../src/base/secret.ts'
import { probeStore } from '../../src/fleet/open.ts'
import { placeOf, storeError } from '../../src/fleet/postgres-errors.ts'
import { PostgresStore } from '../../src/fleet/postgres.ts'
import { clusterOfFile, needPostgres } from '../support/postgres.ts'

const cluster = clusterOfFile()
let roles = 0

/** A role with all that docs/fleet.md names, on a database that a worker has made its schema in. */
async function plainRole(): Promise<{ readonly url: string; readonly role: string; readonly asOwner: string }> {
  const asOwner = await cluster.database()
  const store = new PostgresStore({ url: new Secret(asOwner), fleet: 'f', member: 'a', name: 'h', version: '1.0.0' })
  await store.prepare()
  await store.close()
  roles += 1
  const role = `plain_${roles}`
  for (const sql of [
    `CREATE ROLE ${role} LOGIN PASSWORD 'pa55word'`,
    `GRANT USAGE ON SCHEMA clink_worker TO ${role}`,
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA clink_worker TO ${role}`,
    `GRANT USAGE ON ALL SEQUENCES IN SCHEMA clink_worker TO ${role}`,
  ])
    await cluster.sql(sql, asOwner)
  return { asOwner, role, url: asOwner.replace('postgres@', `${role}@`) }
}

const probe = async (url: string): Promise<string> => await probeStore(new Secret(url), true)

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('check --online looks at what a worker needs of the store', () => {
  it.for([
    ['DELETE ON clink_worker.parts', /this role lacks DELETE on clink_worker\.parts: GRANT it/],
    ['INSERT, UPDATE ON clink_worker.steps', /lacks INSERT on clink_worker\.steps, UPDATE on clink_worker\.steps:/],
    ['USAGE ON SEQUENCE clink_worker.processes', /lacks USAGE on clink_worker\.processes:/],
    ['USAGE ON SCHEMA clink_worker', /lacks USAGE on the schema clink_worker:/],
  ] as const)('and names what lacks: %s', async ([privileges, message], context) => {
    needPostgres(context)
    const { asOwner, role, url } = await plainRole()
    expect(await probe(url)).toMatch(/ answers$/)
    await cluster.sql(`REVOKE ${privileges} FROM ${role}`, asOwner)
    await expect(probe(url)).rejects.toThrow(message)
  })

  it('and says that tables of an earlier version need their owner', async (context) => {
    needPostgres(context)
    const { asOwner, url } = await plainRole()
    await cluster.sql('UPDATE clink_worker.meta SET version = 3', asOwner)
    await expect(probe(url)).rejects.toThrow('only the role that owns them may bring them up to date')
    expect(await probe(asOwner)).toMatch(/ answers$/)
  })

  it('needs nothing of it to be a look at the members', async (context) => {
    needPostgres(context)
    const { asOwner, role, url } = await plainRole()
    await cluster.sql(`REVOKE DELETE ON clink_worker.parts FROM ${role}`, asOwner)
    const store = new PostgresStore({ url: new Secret(url), fleet: 'f', member: '', name: 'h', version: '' })
    expect(await store.look()).toBe(true)
    await store.close()
  })
})

describe('what a database refuses is said in plain words', () => {
  it('without a password where it asks for one', async (context) => {
    needPostgres(context)
    const { asOwner, role, url } = await plainRole()
    const rules = join(cluster.directory, 'data/pg_hba.conf')
    await writeFile(rules, `local all ${role} scram-sha-256\n${await readFile(rules, 'utf8')}`)
    await cluster.sql('SELECT pg_reload_conf()', asOwner)
    await expect
      .poll(async () => await probe(url).catch(String))
      .toContain('it asks for a password, and the address has none')
    await expect(probe(url.replace(role, `${role}:wrong`))).rejects.toThrow('it refuses the password')
    vi.stubEnv('PGPASSWORD', 'pa55word')
    expect(await probe(url)).toMatch(/ answers$/)
    await expect(probe(url.replace(role, `${role}:wrong`))).rejects.toThrow('it refuses the password')
  })

  it('and TLS is as the address says, whatever the environment says', async (context) => {
    needPostgres(context)
    const { url } = await plainRole()
    vi.stubEnv('PGSSLMODE', 'require')
    expect(await probe(url)).toMatch(/ answers$/)
    await expect(probe(`${url}&sslmode=require`)).rejects.toThrow('it speaks no TLS, which the address asks for')
  })

  it('with the name of a database that is not there, also where the address names none', async (context) => {
    needPostgres(context)
    const { role, url } = await plainRole()
    await expect(probe(url.replace(/\/test_\d+/, '/nowhere'))).rejects.toThrow('there is no database "nowhere"')
    await expect(probe(url.replace(/\/test_\d+/, '/'))).rejects.toThrow(
      `there is no database "${role}", the name of the user: the address names none`,
    )
  })

  it('where TLS fails', () => {
    const url = new Secret('postgresql://host/base?sslmode=verify-full')
    const said = (message: string, code?: string): string =>
      storeError(Object.assign(new Error(message), { code }), url).message
    expect(said('self-signed certificate', 'DEPTH_ZERO_SELF_SIGNED_CERT')).toMatch(/cannot be verified: sslrootcert/)
    expect(said('The server does not support SSL connections')).toBe('it speaks no TLS, which the address asks for')
  })

  it('with the place as people write it, and without a password among the parameters', () => {
    expect(placeOf(new Secret('postgresql://me@%2Ftmp%2Fsocket/my%20base'))).toBe('/tmp/socket/my base')
    const url = new Secret('postgresql://host/base?user=me&password=pa55word')
    expect(storeError(new Error('no pa55word'), url).message).toBe('no [secret]')
  })
})
