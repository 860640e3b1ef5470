import type { PoolClient, QueryResultRow } from 'pg'
import { MIGRATIONS, VERSION } from './postgres-schema.ts'

/** Why this version may not work with the store any more. */
export function refusalOf(row: QueryResultRow | undefined): string | undefined {
  const needs = Number(row?.['needs'])
  if (needs <= VERSION) return undefined
  return `it was made for a newer clink-worker (it needs version ${needs} of the store, this one knows ${VERSION}): update this worker`
}

/** Makes what is missing. */
export async function migrate(client: PoolClient): Promise<void> {
  if ((await versionOf(client)) >= VERSION) return
  await client.query('BEGIN')
  await client.query(`SELECT pg_advisory_xact_lock(hashtext('clink_worker'))`)
  // Another member may have done it meanwhile.
  const version = await versionOf(client)
  for (const migration of MIGRATIONS.slice(version)) await client.query(migration)
  await client.query('UPDATE clink_worker.meta SET version = greatest(version, $1)', [MIGRATIONS.length])
  await client.query('COMMIT')
}

/** 0: there is nothing yet. */
export async function versionOf(client: PoolClient): Promise<number> {
  // `to_regclass` may answer from before another member has made it, within one transaction.
  const there = await client.query<QueryResultRow>(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_tables WHERE schemaname = 'clink_worker' AND tablename = 'meta') AS found`,
  )
  if (there.rows[0]?.['found'] !== true) return 0
  const { rows } = await client.query<QueryResultRow>('SELECT version FROM clink_worker.meta')
  return Number(rows[0]?.['version'] ?? 0)
}

/** The store that a member has told what it remembers. Each connection may find another one behind the same address. */
export class KnownStore {
  readonly made: string
  readonly #checked = new WeakSet<PoolClient>()

  constructor(made: string) {
    this.made = made
  }

  /** @throws where it is another one. */
  async check(client: PoolClient): Promise<void> {
    if (this.#checked.has(client)) return
    this.compare((await client.query<QueryResultRow>('SELECT made FROM clink_worker.meta')).rows[0])
    this.#checked.add(client)
  }

  /** @throws where it is another one. */
  compare(row: QueryResultRow | undefined): void {
    if (row?.['made'] !== this.made) throw new Error('it was made anew')
  }
}
