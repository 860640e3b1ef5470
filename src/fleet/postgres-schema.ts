import { FREE } from './letter-edits.ts'
import { LIMIT_PRUNES, LIMIT_TABLES } from './postgres-limits.ts'

/** How this version writes. A store that needs a later one is not touched. */
export const VERSION = 6

/**
 * One step from each version to the next, and within a minor series only additions: members of the version before go on working. `needs` is the
 * least version that may work with a store; a step that would break earlier ones raises it.
 */
export const MIGRATIONS: readonly string[] = [
  `CREATE SCHEMA IF NOT EXISTS clink_worker;
   CREATE TABLE clink_worker.meta (one boolean PRIMARY KEY DEFAULT true CHECK (one), version int NOT NULL, needs int NOT NULL);
   INSERT INTO clink_worker.meta (version, needs) VALUES (0, 1);
   -- Numbers of processes, in the order of their starts.
   CREATE SEQUENCE clink_worker.processes;
   -- What each member has done with a clink, and nobody else writes. A statement of a process that is gone may be carried out late; what is written later has a higher number.
   CREATE TABLE clink_worker.parts (
     fleet text, clink text, member text, attempts text, result text, written bigint NOT NULL, at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (fleet, clink, member)
   ) WITH (fillfactor = 80);
   -- What all share. Without a row: it is gone, which members that were away have to learn.
   CREATE TABLE clink_worker.notes (
     fleet text, kind text, id text, row text, changed xid8 NOT NULL, at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (fleet, kind, id)
   );
   CREATE INDEX notes_changed ON clink_worker.notes (fleet, changed) WHERE kind IN ('letters', 'audit');
   CREATE TABLE clink_worker.steps (
     fleet text, clink text, kind text, name text, content text NOT NULL, value text NOT NULL, at double precision,
     noted timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (fleet, clink, kind, name)
   );
   CREATE TABLE clink_worker.members (
     fleet text, member text, name text NOT NULL, version text NOT NULL, seen timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (fleet, member)
   );`,
  // What a member says of itself.
  'ALTER TABLE clink_worker.members ADD COLUMN IF NOT EXISTS shows text',
  // Which letters of a clink there have been, also when they are gone: a line for each.
  'ALTER TABLE clink_worker.notes ADD COLUMN IF NOT EXISTS born text',
  // Which store it is: one that was made anew in its place knows nothing of what its members have told.
  'ALTER TABLE clink_worker.meta ADD COLUMN IF NOT EXISTS made text NOT NULL DEFAULT gen_random_uuid()::text',
  LIMIT_TABLES,
  // The least number of a write of each member that is still carried out.
  'CREATE TABLE IF NOT EXISTS clink_worker.writers (fleet text, member text, written bigint NOT NULL, PRIMARY KEY (fleet, member))',
]

/** The tables and the sequence that a worker uses. */
export const USED = [
  'meta',
  'parts',
  'notes',
  'steps',
  'members',
  'rights',
  'waits',
  'rates',
  'writers',
  'processes',
] as const

const NOTES_WRITTEN = `unnest($7::text[], $8::text[], $9::text[], $10::boolean[], $11::text[], $12::text[], $13::text[]) AS t (kind, id, row, is_new, born, keys, was)`

/** The letter is one that was written before: another one may have come after it. */
const WAS_BORN = `t.born = ANY (string_to_array(n.born, chr(10)))`
/** Characters of that which are kept: some dozens of letters. */
const BORN_LENGTH = 4_000

/** As `joined` says. */
const IS_RERUN = `n.kind = 'letters' AND n.row::jsonb ? 'rerun' AND NOT n.row::jsonb ? 'discarded'`

/** A letter is there as it was for who changes it. */
const IS_CURRENT = `jsonb_build_array(n.row::jsonb -> 'rerun', coalesce(n.row::jsonb -> 'at', '0')) IN (SELECT jsonb_array_elements(t.was::jsonb))`

/**
 * Of a pause, or of a clink that is left alone: milliseconds that are left of it, by the clock of the store; null: it has no end. Within a text of JSON each quote has a backslash before
 * it, so that none looks like the key. A row that PostgreSQL cannot read as JSON would keep all members from reading anything.
 */
function restOf(table = ''): string {
  return `${lengthOf(table)} - extract(epoch FROM now() - ${table}at) * 1000`
}

/** What was left of it when it was written. */
function lengthOf(table: string): string {
  return `substring(${table}row FROM '"for":([0-9.]+)')::float8`
}

/** What is there, with some keys of what was written. */
function withKeys(keys: string): string {
  return `(n.row::jsonb - ${keys} || coalesce((SELECT jsonb_object_agg(key, value) FROM jsonb_each(t.row::jsonb) WHERE key = ANY (${keys})), '{}'))::text`
}

/**
 * The number of a process. The sequence may be behind what this member has written: in a standby that lacked the last seconds when it took over, and
 * in a copy that was put back under workers that ran.
 */
export const PROCESS = `SELECT greatest(nextval('clink_worker.processes'),
     (SELECT max(written) / $3::bigint + 1 FROM clink_worker.parts WHERE fleet = $1 AND member = $2),
     (SELECT written / $3::bigint + 1 FROM clink_worker.writers WHERE fleet = $1 AND member = $2)) AS process, made
   FROM clink_worker.meta`

const CAN_WRITE = `current_setting('transaction_read_only') = 'off' AS can_write`
/** Where nothing is there yet. */
export const MAY_MAKE = `SELECT ${CAN_WRITE}, has_database_privilege(current_database(), 'CREATE') AS may_make`
export const NEEDS = `SELECT ${CAN_WRITE}, needs FROM clink_worker.meta`

/**
 * Begins each statement that writes. A write that was given up is told anew with the next one. Carried out after that it would put back what was, as a
 * letter whose result was sent meanwhile. So the next one shuts out all before it, once none of them is under way; every other one only looks.
 */
function carriedOut(written: string): { readonly shutsOut: string; readonly looks: string } {
  return {
    shutsOut: `me AS (INSERT INTO clink_worker.writers AS w (fleet, member, written) VALUES ($1, $2, ${written})
     ON CONFLICT (fleet, member) DO UPDATE SET written = excluded.written WHERE w.written <= excluded.written RETURNING 1)`,
    looks: `me AS (SELECT FROM clink_worker.writers WHERE fleet = $1 AND member = $2 AND written <= ${written} FOR SHARE)`,
  }
}
/** By the number of the write: the fourteenth parameter of a batch, and the third of what is about steps. */
export const FIRST = { ofBatch: carriedOut('$14'), ofSteps: carriedOut('$3') } as const
const MAY = 'EXISTS (SELECT FROM me)'

/** Parts of the one statement that writes a batch; those of which there is nothing are left out. $1 is the fleet, $2 the member. A clink is left alone for no shorter than a member has said before. */
export const WRITES = {
  over: `DELETE FROM clink_worker.parts WHERE ${MAY} AND fleet = $1 AND clink = ANY ($3::text[]) AND NOT (member = $2 AND clink = ANY ($4::text[]))
     AND (member = $2 OR at <= ALL (SELECT now() - o.ms * interval '1 millisecond' FROM unnest($3::text[], $15::float8[]) AS o (id, ms) WHERE o.id = clink AND o.ms IS NOT NULL))`,
  parts: `INSERT INTO clink_worker.parts AS p (fleet, clink, member, attempts, result, written)
     SELECT $1, t.clink, $2, t.attempts, t.result, $14 FROM unnest($4::text[], $5::text[], $6::text[], $16::boolean[]) AS t (clink, attempts, result, is_new)
     WHERE ${MAY} AND (t.is_new OR EXISTS (SELECT FROM clink_worker.parts p WHERE p.fleet = $1 AND p.clink = t.clink AND p.member = $2))
     ON CONFLICT (fleet, clink, member) DO UPDATE SET attempts = excluded.attempts, result = excluded.result, written = excluded.written, at = now()
     WHERE p.written < excluded.written`,
  added: `INSERT INTO clink_worker.notes AS n (fleet, kind, id, row, born, changed)
     SELECT $1, t.kind, t.id, t.row, t.born, pg_current_xact_id() FROM ${NOTES_WRITTEN}
     WHERE ${MAY} AND t.is_new AND t.row IS NOT NULL AND NOT EXISTS (
       SELECT FROM clink_worker.notes n WHERE n.fleet = $1 AND n.kind = t.kind AND n.id = t.id AND ${WAS_BORN})
     ON CONFLICT (fleet, kind, id) DO UPDATE SET row = CASE WHEN ${IS_RERUN} THEN n.row ELSE excluded.row END, changed = excluded.changed, at = now(),
       born = nullif(right(concat_ws(chr(10), n.born, excluded.born), ${BORN_LENGTH}), '')
     WHERE (${WAS_BORN.replace('t.', 'excluded.')}) IS NOT TRUE AND (n.kind <> 'cooling' OR (${restOf('n.')} > ${lengthOf('excluded.')}) IS NOT TRUE)`,
  // As \`edited\` says, on the letter as it is when its turn comes.
  changed: `UPDATE clink_worker.notes n SET changed = pg_current_xact_id(), at = now(), row = CASE
       WHEN n.kind = 'letters' AND n.row::jsonb ? 'discarded'
         AND NOT CASE WHEN t.row IS NULL THEN 'discarded' = ANY (t.keys) ELSE t.row::jsonb ? 'discarded' END THEN n.row
       WHEN n.kind <> 'letters' OR 'discarded' = ANY (t.keys) OR t.row IS NULL AND ${IS_CURRENT} THEN t.row
       WHEN t.row IS NULL THEN n.row
       WHEN ${IS_CURRENT} THEN ${withKeys('t.keys')}
       ELSE ${withKeys('t.free')} END
     FROM (SELECT *, ARRAY(SELECT unnest(keys) INTERSECT SELECT unnest('{${FREE.join()}}'::text[])) AS free
       FROM (SELECT kind, id, row, is_new, born, string_to_array(keys, ' ') AS keys, was FROM ${NOTES_WRITTEN}) AS t) AS t
     WHERE ${MAY} AND n.fleet = $1 AND n.kind = t.kind AND n.id = t.id AND n.row IS NOT NULL AND (NOT t.is_new OR ${WAS_BORN})`,
} as const

export const STEPS = {
  remove: `DELETE FROM clink_worker.steps WHERE ${MAY} AND fleet = $1 AND (clink = ANY ($4::text[])
     OR (clink, kind, name) IN (SELECT * FROM unnest($5::text[], $6::text[], $7::text[])))`,
  keep: `INSERT INTO clink_worker.steps (fleet, clink, kind, name, content, value, at)
     SELECT $1, t.* FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::float8[]) AS t WHERE ${MAY}
     ON CONFLICT (fleet, clink, kind, name) DO UPDATE SET content = excluded.content, value = excluded.value, at = excluded.at, noted = now()`,
  read: `SELECT kind AS "is", name, content, value, at, extract(epoch FROM now() - noted) * 1000 AS age FROM clink_worker.steps WHERE fleet = $1 AND clink = $2`,
} as const

/** A member that shows itself writes: a store that can only be read is away. */
export const BEAT = `WITH me AS (
     INSERT INTO clink_worker.members (fleet, member, name, version, shows) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (fleet, member) DO UPDATE SET name = excluded.name, version = excluded.version, shows = excluded.shows, seen = now())
   SELECT needs, made FROM clink_worker.meta`

export const LEAVE = `DELETE FROM clink_worker.members WHERE fleet = $1 AND member = $2`

/** Milliseconds. */
export const MEMBERS = `SELECT member, name, version, shows, extract(epoch FROM seen) * 1000 AS seen, extract(epoch FROM now() - seen) * 1000 AS age
   FROM clink_worker.members WHERE fleet = $1 AND seen >= now() - interval '1 day' ORDER BY name, member`

const REST = restOf()

export const RECALL = `SELECT NULL AS kind, clink AS id, attempts AS row, result, member, NULL::float8 AS rest FROM clink_worker.parts
     WHERE fleet = $1 AND clink = ANY ($2::text[]) AND member <> $3
   UNION ALL SELECT 'mine', clink, NULL, NULL, NULL, NULL FROM clink_worker.parts WHERE fleet = $1 AND clink = ANY ($2::text[]) AND member = $3
   UNION ALL SELECT kind, id, row, NULL, NULL, CASE WHEN kind = 'cooling' THEN ${REST} END FROM clink_worker.notes
     WHERE fleet = $1 AND kind IN ('letters', 'cooling', 'own') AND id = ANY ($2::text[]) AND row IS NOT NULL`

/** There is one row for each pause, which goes when its time is over. One that somebody has ended is left without its content for some days: a member that remembers it does not bring it back. */
export const PAUSES = {
  read: `SELECT row, extract(epoch FROM at) * 1000 AS since, ${REST} AS rest FROM clink_worker.notes
     WHERE fleet = $1 AND kind = 'pauses' AND row IS NOT NULL AND (${REST} > 0) IS NOT FALSE`,
  tell: `INSERT INTO clink_worker.notes (fleet, kind, id, row, changed)
     SELECT $1, 'pauses', t.id, t.row, pg_current_xact_id() FROM unnest($2::text[], $3::text[]) AS t (id, row)
     ON CONFLICT (fleet, kind, id) DO NOTHING`,
  /** With what is told of who did it: $4 is its id, $5 the act. */
  set: `WITH act AS (INSERT INTO clink_worker.notes (fleet, kind, id, row, changed) VALUES ($1, 'audit', $4, $5, pg_current_xact_id()))
   INSERT INTO clink_worker.notes (fleet, kind, id, row, changed) VALUES ($1, 'pauses', $2, $3, pg_current_xact_id())
     ON CONFLICT (fleet, kind, id) DO UPDATE SET row = excluded.row, changed = excluded.changed, at = now()`,
  end: `WITH ended AS (UPDATE clink_worker.notes SET row = NULL, changed = pg_current_xact_id(), at = now()
       WHERE fleet = $1 AND kind = 'pauses' AND id = $2 AND row IS NOT NULL AND (${REST} > 0) IS NOT FALSE RETURNING 1),
     act AS (INSERT INTO clink_worker.notes (fleet, kind, id, row, changed) SELECT $1, 'audit', $3, $4, pg_current_xact_id() FROM ended)
   SELECT FROM ended`,
} as const

/**
 * What has changed since a moment: from the oldest transaction on that was under way then, since one that was may have been committed after the
 * look. In one statement, so that all of it is of one moment. What is paused, what is known of siblings, and who else is there ($3: who asks), stands
 * below, whenever it was written.
 */
export const CHANGES = `SELECT s.xmin, s.at, n.kind, n.id, n.row, NULL::float8 AS since, NULL::float8 AS rest FROM (
     SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xmin, extract(epoch FROM now())::bigint::text AS at) s
   LEFT JOIN clink_worker.notes n ON n.fleet = $1 AND n.kind IN ('letters', 'audit') AND n.changed >= $2::xid8
     AND ($2::xid8 <> '0' OR n.row IS NOT NULL)
   UNION ALL SELECT NULL, NULL, 'pauses', NULL, p.row, p.since, p.rest FROM (${PAUSES.read}) p
   UNION ALL SELECT NULL, NULL, kind, id, row, NULL, NULL FROM clink_worker.notes WHERE fleet = $1 AND kind = 'siblings'
   UNION ALL SELECT NULL, NULL, 'member', member, NULL, NULL, extract(epoch FROM now() - seen) * 1000 FROM clink_worker.members
     WHERE fleet = $1 AND member <> $3`

/** $2: the address of the service, $3: what it does with a claim on a sibling's clink. */
export const SIBLINGS = `INSERT INTO clink_worker.notes (fleet, kind, id, row, changed) VALUES ($1, 'siblings', $2, $3, pg_current_xact_id())
   ON CONFLICT (fleet, kind, id) DO UPDATE SET row = excluded.row, changed = excluded.changed, at = now()`

/** Days for which it is known that a row is gone. */
export const GONE_DAYS = 7

/** $2: milliseconds for which what nobody has seen is kept. Forgotten is a clink of which every member's part is as old. */
export const PRUNES: readonly string[] = [
  `DELETE FROM clink_worker.parts p WHERE p.fleet = $1 AND p.at < now() - $2 * interval '1 ms' AND NOT EXISTS (
     SELECT FROM clink_worker.parts q WHERE q.fleet = $1 AND q.clink = p.clink AND q.at >= now() - $2 * interval '1 ms')`,
  `DELETE FROM clink_worker.notes WHERE fleet = $1 AND ((row IS NULL AND at < now() - interval '${GONE_DAYS} days')
     OR (kind IN ('cooling', 'own') AND at < now() - $2 * interval '1 ms'))`,
  `DELETE FROM clink_worker.notes WHERE fleet = $1 AND kind = 'pauses' AND ${REST} < 0 AND $2 >= 0`,
  `DELETE FROM clink_worker.steps s WHERE s.fleet = $1 AND s.noted < now() - $2 * interval '1 ms'
     AND NOT EXISTS (SELECT FROM clink_worker.parts p WHERE p.fleet = $1 AND p.clink = s.clink)
     AND NOT EXISTS (SELECT FROM clink_worker.notes n WHERE n.fleet = $1 AND n.kind = 'letters' AND n.id = s.clink AND n.row IS NOT NULL)`,
  `DELETE FROM clink_worker.members WHERE fleet = $1 AND seen < now() - interval '1 day' AND $2 >= 0`,
  `DELETE FROM clink_worker.writers w WHERE w.fleet = $1 AND $2 >= 0 AND NOT EXISTS (
     SELECT FROM clink_worker.members m WHERE m.fleet = $1 AND m.member = w.member)`,
  ...LIMIT_PRUNES,
]
