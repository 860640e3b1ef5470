import type { PoolClient, QueryResultRow } from 'pg'
import { codeOf, READ_ONLY } from './postgres-errors.ts'
import { MAY_MAKE, NEEDS, USED, VERSION } from './postgres-schema.ts'
import { refusalOf, versionOf } from './postgres-version.ts'

const RELATIONS = `pg_catalog.pg_class c JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace AND s.nspname = 'clink_worker'`
/** Of the database and the schema first, then of what is in it. Of `meta` a worker only reads what is there. */
const LACKS = `SELECT 'CONNECT on the database ' || to_json(current_database())::text AS lack, 1 AS place, '' AS name, '' AS what
     WHERE NOT has_database_privilege(session_user, current_database(), 'CONNECT')
   UNION ALL SELECT 'USAGE on the schema clink_worker', 2, '', '' FROM pg_catalog.pg_namespace
     WHERE nspname = 'clink_worker' AND NOT has_schema_privilege(oid, 'USAGE')
   UNION ALL SELECT what || ' on clink_worker.' || name, 3, name, what FROM (
     SELECT c.relname AS name, p AS what, CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, p) ELSE has_table_privilege(c.oid, p) END AS has
     FROM ${RELATIONS}, unnest(CASE WHEN c.relkind = 'S' THEN '{USAGE}'::text[]
       WHEN c.relname = 'meta' THEN '{SELECT}' ELSE '{SELECT,INSERT,UPDATE,DELETE}' END) AS p
     WHERE c.relkind IN ('r', 'S') AND c.relname = ANY ($1)) AS t
   WHERE NOT has ORDER BY place, name, what`
const OWNS = `SELECT bool_and(pg_has_role(c.relowner, 'USAGE')) AS owns FROM ${RELATIONS} WHERE c.relkind = 'r'`

const MAY_NOT_MAKE = 'this role may not make the schema clink_worker: GRANT CREATE ON DATABASE'
const MAY_NOT_UPDATE =
  'its tables are of an earlier version, and only the role that owns them may bring them up to date'

/** What this role lacks to work with the store, for people; undefined: nothing. */
async function lackOf(client: PoolClient): Promise<string | undefined> {
  const { rows } = await client.query<QueryResultRow>(LACKS, [USED])
  const lacking = rows.map(({ lack }) => String(lack))
  return lacking.length > 0 ? `this role lacks ${lacking.join(', ')}: GRANT it (docs/fleet.md)` : undefined
}

/** @throws what this role lacks to work with the store, for people. */
export async function checkPrivileges(client: PoolClient): Promise<void> {
  const lack = await lackOf(client)
  if (lack !== undefined) throw new Error(lack)
}

/** An error of the store; where it forbids something, with what this role lacks, which PostgreSQL does not say. */
export async function withLack(thrown: unknown, client: PoolClient): Promise<unknown> {
  if (codeOf(thrown) !== FORBIDDEN) return thrown
  const lack = await lackOf(client).catch(() => undefined)
  return lack === undefined ? thrown : Object.assign(new Error(lack), { code: FORBIDDEN })
}

/** PostgreSQL's code of a missing privilege. */
const FORBIDDEN = '42501'

/**
 * Looks at a store and changes nothing.
 *
 * @param toWork also at what only members need.
 * @returns whether there is anything yet.
 * @throws what keeps a worker from using it, for people.
 */
export async function lookAt(client: PoolClient, toWork: boolean): Promise<boolean> {
  const ask = async (sql: string): Promise<readonly QueryResultRow[]> => (await client.query<QueryResultRow>(sql)).rows
  const refuse = (isRefused: boolean, why: string): void => {
    if (isRefused) throw new Error(why)
  }
  if (toWork) await checkPrivileges(client)
  const version = await versionOf(client)
  const [row] = await ask(version === 0 ? MAY_MAKE : NEEDS)
  refuse(row?.['can_write'] === false, READ_ONLY)
  refuse(row?.['may_make'] === false, MAY_NOT_MAKE)
  if (version === 0) return false
  const refusal = refusalOf(row)
  if (refusal !== undefined) throw new Error(refusal)
  refuse(toWork && version < VERSION && (await ask(OWNS))[0]?.['owns'] !== true, MAY_NOT_UPDATE)
  return true
}
