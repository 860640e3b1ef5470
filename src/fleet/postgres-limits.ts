import type { QueryResultRow } from 'pg'
import { steadyOf, systemClock, type Clock } from '../base/clock.ts'
import {
  PERMIT_LASTS,
  type KeyRight,
  type LimitsAnswer,
  type LimitStore,
  type LimitsWish,
  type RateWish,
} from '../ledger/fleet-limits.ts'
import { codeOf } from './postgres-errors.ts'

/**
 * Keys that are taken, who waits for them, and what has started on routes with a rate. `open`: permits by their ids, with the last moment at
 * which each may be used. `past`: so many have started by these moments. `asked`: the last wish, and when; `waits` in it: members that were given
 * nothing, since when, and when they asked last. In milliseconds of the store's clock.
 */
export const LIMIT_TABLES = `CREATE TABLE IF NOT EXISTS clink_worker.rights (
     fleet text, route text, key text, member text NOT NULL, token text NOT NULL, clink text NOT NULL, until timestamptz NOT NULL,
     PRIMARY KEY (fleet, route, key)
   ) WITH (fillfactor = 50);
   CREATE TABLE IF NOT EXISTS clink_worker.waits (
     fleet text, route text, key text, member text, since timestamptz NOT NULL, seen timestamptz NOT NULL, PRIMARY KEY (fleet, route, key, member)
   ) WITH (fillfactor = 50);
   CREATE TABLE IF NOT EXISTS clink_worker.rates (
     fleet text, route text, open jsonb NOT NULL, past jsonb NOT NULL, asked jsonb NOT NULL, PRIMARY KEY (fleet, route)
   ) WITH (fillfactor = 20)`

export const LIMIT_PRUNES: readonly string[] = [
  `DELETE FROM clink_worker.rights WHERE fleet = $1 AND until < now() - interval '1 day' AND $2 >= 0`,
  `DELETE FROM clink_worker.waits WHERE fleet = $1 AND seen < now() - interval '1 minute' AND $2 >= 0`,
  // A route that is gone. Where it comes again, its first start waits for a window, as at the beginning.
  `DELETE FROM clink_worker.rates WHERE fleet = $1 AND extract(epoch FROM now()) * 1000
     > (asked ->> 'at')::float8 + ${PERMIT_LASTS} + greatest((asked ->> 'window')::float8, $2)`,
]

/** Who has not asked for so long does not wait any more: for a permit, it asks at least four times in a window. */
const FRESH = `interval '2 s'`
const FRESH_OF_RATE = 'greatest(2000, c.wide / 2)'
/** Milliseconds. Who has waited for longer goes before those that ask later. */
const PATIENCE = 1_000
/** Starts are kept in so many parts of their window: with each a moment that lies no earlier than they do. */
const PARTS = 200

/**
 * Rows that are not to be had are not locked: two members that each give up what the other one asks for would wait for each other. What is
 * tried is compared once more on the row as it is when its turn has come. Who goes on with what its own last process had goes before all that wait:
 * nobody else could have it.
 */
const KEYS = `at AS (SELECT clock_timestamp() AS now),
   wished AS (SELECT t.* FROM at CROSS JOIN unnest($4::text[], $5::text[], $6::text[], $7::text[]) AS t (route, key, token, clink)
     WHERE $13::float8 IS NULL OR extract(epoch FROM at.now) * 1000 <= $13),
   freed AS (SELECT * FROM unnest($8::text[], $9::text[], $10::text[]) AS t (route, key, token)),
   tried AS (
     SELECT w.* FROM at CROSS JOIN wished w
       LEFT JOIN clink_worker.rights r ON r.fleet = $1 AND r.route = w.route AND r.key = w.key
       LEFT JOIN clink_worker.waits q ON q.fleet = $1 AND q.route = w.route AND q.key = w.key AND q.member = $2 AND q.seen > at.now - ${FRESH}
     WHERE r.until >= at.now AND r.member = $2 AND r.clink = w.clink
       OR (r.key IS NULL OR r.until < at.now OR r.token IN (SELECT token FROM freed)) AND NOT EXISTS (SELECT FROM clink_worker.waits o WHERE o.fleet = $1 AND o.route = w.route AND o.key = w.key AND o.member <> $2
         AND o.seen > at.now - ${FRESH} AND o.since < at.now - ${PATIENCE} * interval '1 ms' AND o.since < coalesce(q.since, at.now))),
   gone AS (DELETE FROM clink_worker.rights r USING freed f WHERE r.fleet = $1 AND r.route = f.route AND r.key = f.key AND r.token = f.token
     AND NOT EXISTS (SELECT FROM tried t WHERE t.route = r.route AND t.key = r.key)),
   got AS (INSERT INTO clink_worker.rights AS r (fleet, route, key, member, token, clink, until)
     SELECT $1, route, key, $2, token, clink, clock_timestamp() + $3 * interval '1 ms' FROM tried ORDER BY route, key
     ON CONFLICT (fleet, route, key) DO UPDATE
       SET member = excluded.member, token = excluded.token, clink = excluded.clink, until = clock_timestamp() + $3 * interval '1 ms'
       WHERE r.until < clock_timestamp() OR r.member = excluded.member AND r.clink = excluded.clink OR r.token IN (SELECT token FROM freed)
     RETURNING r.route, r.key, r.token),
   queued AS (INSERT INTO clink_worker.waits AS q (fleet, route, key, member, since, seen)
     SELECT $1, w.route, w.key, $2, at.now, at.now FROM at CROSS JOIN wished w
     WHERE NOT EXISTS (SELECT FROM got g WHERE g.route = w.route AND g.key = w.key) ORDER BY w.route, w.key
     ON CONFLICT (fleet, route, key, member) DO UPDATE
       SET since = CASE WHEN q.seen < excluded.seen - ${FRESH} THEN excluded.since ELSE q.since END, seen = excluded.seen),
   served AS (DELETE FROM clink_worker.waits q USING (SELECT route, key FROM got UNION SELECT route, key FROM freed) g
     WHERE q.fleet = $1 AND q.route = g.route AND q.key = g.key AND q.member = $2
       AND NOT EXISTS (SELECT FROM wished w WHERE w.route = g.route AND w.key = g.key AND NOT EXISTS (SELECT FROM got WHERE got.token = w.token)))`

/**
 * The row is locked before its time is read, and read as it is then: so permits are given one after the other. A row that is not there yet begins
 * used up, since nobody knows what has started before. Of each member that waits for longer a permit is left to it: who is near the store would
 * always be the first to ask.
 */
const RATES = `permits AS (INSERT INTO clink_worker.rates AS r (fleet, route, open, past, asked)
     SELECT $1, t.route, '{}', jsonb_build_object(ceil(extract(epoch FROM clock_timestamp()) * 1000)::text, t.asked::jsonb -> 'count'),
       t.asked::jsonb || jsonb_build_object('at', extract(epoch FROM clock_timestamp())::float8 * 1000)
     FROM unnest($11::text[], $12::text[]) AS t (route, asked) ORDER BY t.route
     ON CONFLICT (fleet, route) DO UPDATE SET (open, past, asked) = (
       SELECT open.entries || given.entries, past.entries, excluded.asked || jsonb_build_object('at', c.now, 'waits', waits.entries)
       FROM (SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS now, (excluded.asked ->> 'count')::float8 AS most,
           (excluded.asked ->> 'window')::float8 AS wide, (excluded.asked ->> 'grain')::float8 AS grain) AS c
       CROSS JOIN LATERAL (SELECT coalesce(jsonb_object_agg(key, value), '{}') AS entries, count(*) AS used
         FROM jsonb_each(r.open) WHERE value::float8 >= c.now - c.wide AND NOT excluded.asked -> 'ended' ? key) AS open
       CROSS JOIN LATERAL (SELECT coalesce(jsonb_object_agg(moment::text, many), '{}') AS entries, coalesce(sum(many), 0) AS used FROM (
         SELECT moment, sum(many) AS many FROM (
           SELECT key::numeric AS moment, value::numeric AS many FROM jsonb_each(r.past)
           UNION ALL SELECT (ceil((c.now - value::float8) / c.grain) * c.grain)::numeric, 1 FROM jsonb_each(excluded.asked -> 'ended')
             WHERE value <> 'null' AND r.open ? key) AS each
         WHERE moment >= c.now - c.wide GROUP BY moment) AS moments) AS past
       CROSS JOIN LATERAL (SELECT coalesce(jsonb_object_agg(key, value), '{}') AS entries
         FROM jsonb_each(r.asked -> 'waits') WHERE (value ->> 1)::float8 > c.now - ${FRESH_OF_RATE}) AS known
       CROSS JOIN LATERAL (SELECT coalesce((known.entries -> $2 ->> 0)::float8, c.now) AS since) AS mine
       CROSS JOIN LATERAL (SELECT count(*) AS many FROM jsonb_each(known.entries)
         WHERE key <> $2 AND (value ->> 0)::float8 < least(mine.since, c.now - ${PATIENCE})) AS before
       CROSS JOIN LATERAL (SELECT coalesce(jsonb_object_agg(id, c.now + ${PERMIT_LASTS}), '{}') AS entries FROM (
         SELECT id FROM jsonb_array_elements_text(excluded.asked -> 'wanted') AS id
         LIMIT CASE WHEN c.now > $13 THEN 0 ELSE greatest(0, c.most - open.used - past.used - before.many) END) AS ids) AS given
       CROSS JOIN LATERAL (SELECT CASE WHEN jsonb_array_length(excluded.asked -> 'wanted') = 0 THEN known.entries WHEN given.entries <> '{}' THEN known.entries - $2
         ELSE known.entries || jsonb_build_object($2, jsonb_build_array(mine.since, c.now)) END AS entries) AS waits)
     RETURNING r.route, ARRAY(SELECT id FROM jsonb_array_elements_text(r.asked -> 'wanted') AS id WHERE r.open ? id) AS ids,
       (SELECT min(moment) FROM (SELECT key::float8 AS moment FROM jsonb_each(r.past) UNION ALL SELECT value::float8 FROM jsonb_each(r.open)) AS all_of)
         + (r.asked ->> 'window')::float8 - extract(epoch FROM clock_timestamp())::float8 * 1000 AS wait,
       (r.asked ->> 'count')::float8 - (SELECT count(*) FROM jsonb_object_keys(r.open))
         - (SELECT coalesce(sum(value::float8), 0) FROM jsonb_each(r.past)) AS remaining)`

const TYPES = ['text', 'text', 'float8', ...Array<string>(9).fill('text[]'), 'float8']
const NAMED = `named AS (SELECT ${TYPES.map((type, index) => `$${index + 1}::${type}`).join(', ')})`
const FOUND = {
  keys: `SELECT w.token AS route, NULL::text[] AS ids, NULL::float8 AS wait, NULL::float8 AS remaining,
       CASE WHEN g.token IS NULL THEN coalesce(r.token, '') END AS holder
     FROM wished w LEFT JOIN got g ON g.token = w.token LEFT JOIN clink_worker.rights r ON r.fleet = $1 AND r.route = w.route AND r.key = w.key`,
  rates: 'SELECT route, ids, wait, remaining, NULL AS holder FROM permits',
  time: `SELECT NULL AS route, NULL::text[] AS ids, extract(epoch FROM clock_timestamp())::float8 * 1000 AS wait, NULL::float8 AS remaining, NULL AS holder`,
} as const

/** A right whose time is over is renewed as well, as long as nobody else has taken it: code may go on that ignores its abort. */
const RENEW = `UPDATE clink_worker.rights r SET until = clock_timestamp() + $2 * interval '1 ms', clink = t.clink
   FROM unnest($3::text[], $4::text[], $5::text[], $6::text[]) AS t (route, key, token, clink)
   WHERE r.fleet = $1 AND r.route = t.route AND r.key = t.key AND r.token = t.token RETURNING r.token`

/**
 * Milliseconds after which a statement is given up, and gives nothing any more: what a network has held back for longer is carried out all the same,
 * after its repetition, and what it gave would be nobody's.
 */
export const ANSWER = 6_000
/** Tries of a statement that only another member has got in the way of. */
const TRIES = 5

type Query = (sql: string, values: readonly unknown[]) => Promise<readonly QueryResultRow[]>

export function limitsIn(
  query: Query,
  { fleet, member }: { readonly fleet: string; readonly member: string },
  clock: Pick<Clock, 'now'> = steadyOf(systemClock()),
): LimitStore {
  /** By how much the clock of the store is ahead of the one here, or by less; undefined: it has not answered yet. */
  let ahead: number | undefined
  const ask: Query = async (sql, values) => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await query(sql, values)
      } catch (error) {
        // Rows were locked in another order.
        if (tries === TRIES || codeOf(error) !== '40P01') throw error
      }
    }
  }
  return {
    async ask(wish, length) {
      const last = ahead === undefined ? null : clock.now() + ahead + ANSWER
      const rows = await ask(statementOf(wish), [fleet, member, length, ...columnsOfWish(wish), last])
      ahead = Number(rows.find(({ route }) => route === null)?.['wait']) - clock.now()
      return answerOf(rows.filter(({ route }) => route !== null))
    },
    async renew(rights, length) {
      const rows = await ask(RENEW, [fleet, length, ...columnsOf(rights), rights.map(({ clink }) => plain(clink))])
      return new Set(rows.map(({ token }) => String(token)))
    },
  }
}

/** One statement for all that is asked for in a turn. Its parameters are the same whatever is left out. */
function statementOf({ freed, keys, rates }: LimitsWish): string {
  const parts = [
    ...(keys.length + freed.length > 0 ? [{ sql: KEYS, found: FOUND.keys }] : []),
    ...(rates.length > 0 ? [{ sql: RATES, found: FOUND.rates }] : []),
  ]
  const found = [...parts.map((part) => part.found), FOUND.time].join(' UNION ALL ')
  return `WITH ${[NAMED, ...parts.map(({ sql }) => sql)].join(', ')} ${found}`
}

function columnsOfWish({ freed, keys, rates }: LimitsWish): readonly unknown[] {
  return [
    ...columnsOf(keys),
    keys.map(({ clink }) => plain(clink)),
    ...columnsOf(freed),
    rates.map(({ route }) => plain(route)),
    rates.map(askedOf),
  ]
}

function answerOf(rows: readonly QueryResultRow[]): LimitsAnswer {
  const granted = new Set<string>()
  const holders = new Map<string, string>()
  const rates = new Map<string, { wait: number; left: number }>()
  for (const { holder, ids, remaining, route, wait } of rows)
    if (holder !== null) holders.set(String(route), String(holder))
    else if (!Array.isArray(ids)) granted.add(String(route))
    else {
      for (const id of ids) granted.add(String(id))
      rates.set(String(route), { wait: Math.max(0, Number(wait)), left: Math.max(0, Number(remaining)) })
    }
  return { granted, holders, rates }
}

function columnsOf(rights: readonly Omit<KeyRight, 'clink'>[]): string[][] {
  return [
    rights.map(({ route }) => plain(route)),
    rights.map(({ key }) => plain(key)),
    rights.map(({ token }) => token),
  ]
}

function askedOf({ count, ended, wanted, window }: RateWish): string {
  return JSON.stringify({ count, window, grain: Math.max(1, Math.ceil(window / PARTS)), wanted, ended })
}

/** PostgreSQL has no text with a zero in it. */
function plain(text: string): string {
  return text.replaceAll('\0', '\uFFFD')
}
