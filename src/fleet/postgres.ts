import { Pool, type PoolClient, type QueryResultRow } from 'pg'
import { strictAddress } from '../base/postgres-parameters.ts'
import type { Secret } from '../base/secret.ts'
import type { FleetPause, Member } from '../ledger/fleet.ts'
import { step } from '../ledger/rows.ts'
import {
  BEAT,
  CHANGES,
  FIRST,
  GONE_DAYS,
  LEAVE,
  MEMBERS,
  PAUSES,
  PROCESS,
  PRUNES,
  RECALL,
  SIBLINGS,
  STEPS,
  VERSION,
} from './postgres-schema.ts'
import type { LimitStore } from '../ledger/fleet-limits.ts'
import { checkPrivileges, lookAt, withLack } from './look.ts'
import { memberOf, withNamesOfTheirOwn } from './members.ts'
import { toJsonb } from './jsonb-text.ts'
import { pauseId, type KeptFleetPause } from './pauses.ts'
import { ANSWER, limitsIn } from './postgres-limits.ts'
import { codeOf, placeOf, storeError } from './postgres-errors.ts'
import { memberIn, noteOf, orNull, pauseIn, siblingsIn } from './postgres-rows.ts'
import { columns, statementOf, STEP_COLUMNS, type Part } from './postgres-writes.ts'
import { KnownStore, migrate, refusalOf, versionOf } from './postgres-version.ts'
import { NotPrepared, type Batch, type Changes, type Note, type Recalled, type SharedStore } from './store.ts'

export interface PostgresOptions {
  readonly url: Secret
  readonly fleet: string
  readonly member: string
  /** What this member is called, for people. */
  readonly name: string
  /** Of this program. */
  readonly version: string
}

/** What an operator did, as a row of its own: JSON. */
interface WrittenAct {
  readonly id: string
  readonly row: string
}

/** One writes, two read, one shows that this member is there, one asks for what limits are the fleet's, if any are. */
const CONNECTIONS = 5
/** Milliseconds. The server ends a statement that hangs before it is given up here (`ANSWER`). */
const STATEMENT = 4_000
/** A number for each write of a process, more than it makes. */
const WRITES_OF_A_PROCESS = 2n ** 36n
/** Tries of a write that only another one has got in the way of. */
const TRIES = 3

/** The memory of a fleet in PostgreSQL. A connection on which anything has failed is not used again: the next one may find another server. */
export class PostgresStore implements SharedStore {
  readonly place: string
  readonly limits: LimitStore
  readonly #options: PostgresOptions
  readonly #pool: Pool
  /** The number of the last write, above those of all processes before this one. */
  #written = 0n
  /** An earlier write may be under way still: of another process, or one that was given up. */
  #mayBeLate = true
  /** By which other connections find the same store. */
  #known: KnownStore | undefined

  constructor(options: PostgresOptions) {
    this.#options = options
    this.place = placeOf(options.url)
    this.limits = limitsIn(async (sql, values) => await this.#query(sql, values), options)
    this.#pool = new Pool({
      connectionString: strictAddress(options.url.reveal()),
      ssl: false, // where the address does not say: what it leaves out would come from PGSSLMODE
      max: CONNECTIONS,
      application_name: `clink-worker ${options.name}`,
      connectionTimeoutMillis: ANSWER,
      query_timeout: ANSWER,
      statement_timeout: STATEMENT,
      idleTimeoutMillis: 0,
      keepAlive: true,
    })
    // A connection that breaks while nobody waits for an answer is found by whoever uses it next.
    const ignored = (): void => {}
    this.#pool.on('error', ignored)
    this.#pool.on('connect', (client) => client.on('error', ignored))
  }

  /** Makes what is missing, for whoever is no member as well. */
  async make(): Promise<void> {
    // What is refused now and then, since a privilege is missing, would be a store that comes and goes.
    await this.#with(async (client) => await checkPrivileges(client).then(async () => await migrate(client)))
  }

  async prepare(): Promise<string> {
    this.#known = undefined
    await this.make()
    const { fleet, member } = this.#options
    const [row] = await this.#query(PROCESS, [fleet, member, String(WRITES_OF_A_PROCESS)])
    this.#written = BigInt(String(row?.['process'])) * WRITES_OF_A_PROCESS
    this.#mayBeLate = true
    this.#known = new KnownStore(String(row?.['made']))
    return this.#known.made
  }

  /** As `lookAt`. */
  async look(toWork = false): Promise<boolean> {
    return await this.#with(async (client) => await lookAt(client, toWork))
  }

  async recall(clinkIds: readonly string[]): Promise<Recalled> {
    const { fleet, member } = this.#options
    const ids = clinkIds.filter(isText)
    const rows = await this.#query(RECALL, [fleet, ids, member])
    const parts: Recalled['parts'][number][] = []
    const [notes, mine]: [Note[], string[]] = [[], []]
    for (const { id, kind, member: by, rest, result, row } of rows)
      if (kind === null)
        parts.push({ clink: String(id), member: String(by), attempts: orNull(row), result: orNull(result) })
      else if (kind === 'mine') mine.push(String(id))
      else notes.push(...noteOf({ id, kind, rest, row }))
    return { parts, mine, notes }
  }

  async write(batch: Batch): Promise<readonly Note[]> {
    // Whoever tries again meanwhile has no number yet, or that of another store.
    if (this.#known === undefined) throw new NotPrepared()
    this.#written += 1n
    for (let tries = 1; ; tries += 1) {
      try {
        const after = await this.#with(async (client) => await this.#write(client, batch))
        this.#mayBeLate = false
        return after
      } catch (error) {
        this.#mayBeLate = true
        if (tries === TRIES || !isOfTheMoment(error)) throw error
      }
    }
  }

  async changes(after: string | undefined): Promise<Changes> {
    const [from = '0', at = '0'] = (after ?? '').split(':')
    const known = from === '' ? '0' : from
    const rows = await this.#query(CHANGES, [this.#options.fleet, known, this.#options.member])
    // The order of the two parts is not promised.
    const first = rows.find(({ xmin }) => xmin !== null)
    const next = `${String(first?.['xmin'])}:${String(first?.['at'])}`
    const isTooOld = Number(first?.['at']) - Number(at) > (GONE_DAYS - 1) * 86_400
    // Another database has other numbers.
    const isOther = BigInt(String(first?.['xmin'])) < BigInt(known)
    if (known !== '0' && (isTooOld || isOther)) return await this.changes(undefined)
    const [members, siblings] = [new Map(rows.flatMap(memberIn)), new Map(rows.flatMap(siblingsIn))]
    const [notes, pauses] = [rows.flatMap(noteOf), rows.flatMap(pauseIn)]
    return { next, isWhole: known === '0', notes, pauses, siblings, members }
  }

  async tellPauses(pauses: readonly KeptFleetPause[]): Promise<void> {
    if (pauses.length === 0) return
    const ids = pauses.map(({ route }) => pauseId(route))
    const rows = pauses.map((pause) => toJsonb(JSON.stringify(pause)))
    await this.#query(PAUSES.tell, [this.#options.fleet, ids, rows])
  }

  async noteSiblings(url: string, verdict: string): Promise<void> {
    await this.#query(SIBLINGS, [this.#options.fleet, url, verdict])
  }

  async beat(shows?: string): Promise<string | undefined> {
    const { fleet, member, name, version } = this.#options
    return await this.#with(async (client) => {
      const { rows } = await client.query<QueryResultRow>(BEAT, [fleet, member, name, version, shows ?? null])
      // What was revoked since is missed only when it is needed, be it hours later.
      await checkPrivileges(client)
      this.#known?.compare(rows[0])
      return refusalOf(rows[0])
    })
  }

  async members(): Promise<readonly Member[]> {
    if ((await this.#with(versionOf)) < VERSION) return []
    const rows = await this.#query(MEMBERS, [this.#options.fleet])
    const members = rows.map(({ age, member, name, seen, shows, version }) => {
      const texts = { member: String(member), name: String(name), version: String(version), shows: orNull(shows) }
      return memberOf(texts, Number(seen), Number(age))
    })
    return withNamesOfTheirOwn(members)
  }

  async pauses(): Promise<readonly FleetPause[]> {
    return (await this.#query(PAUSES.read, [this.#options.fleet])).flatMap(pauseIn)
  }

  /** In place of an earlier one of the same route. @param act what is told of it. */
  async pause(pause: KeptFleetPause, act: WrittenAct): Promise<void> {
    const values = [pauseId(pause.route), toJsonb(JSON.stringify(pause)), act.id, toJsonb(act.row)]
    await this.#query(PAUSES.set, [this.#options.fleet, ...values])
  }

  /** @param route undefined: the pause of everything. @returns whether there was one. */
  async resume(route: string | undefined, act: WrittenAct): Promise<boolean> {
    const values = [this.#options.fleet, pauseId(route), act.id, toJsonb(act.row)]
    return (await this.#query(PAUSES.end, values)).length > 0
  }

  async steps(clinkId: string): ReturnType<SharedStore['steps']> {
    if (!isText(clinkId)) return []
    const rows = await this.#query(STEPS.read, [this.#options.fleet, clinkId])
    return rows.flatMap((row) => {
      const { data } = step.safeParse(row)
      return data === undefined ? [] : [{ ...data, age: Number(row['age']) }]
    })
  }

  async prune(keep: number): Promise<void> {
    for (const sql of PRUNES) await this.#query(sql, [this.#options.fleet, keep])
  }

  /** Classes of PostgreSQL's error codes: data that it does not take, and limits of its own. */
  isOfTheData(error: unknown): boolean {
    return /^(22|54)/.test(codeOf(error))
  }

  async close(isLeaving = false): Promise<void> {
    const { fleet, member } = this.#options
    // Where that fails it is silent for a day.
    if (isLeaving) await this.#query(LEAVE, [fleet, member]).catch(() => {})
    await this.#pool.end()
  }

  async #write(client: PoolClient, { notes, over, overFor, parts, steps }: Batch): Promise<readonly Note[]> {
    const { fleet, member } = this.#options
    const [written, first] = [String(this.#written), this.#mayBeLate ? 'shutsOut' : 'looks'] as const
    const carryOut = async (sql: string, values: readonly unknown[]): Promise<readonly QueryResultRow[]> => {
      const { rows } = await client.query<QueryResultRow>(sql, [fleet, member, ...values])
      if (rows.length === 0) throw new Error('another process of this worker has written since')
      return rows
    }
    let after: readonly QueryResultRow[] = []
    const used: [Part, boolean][] = [
      ['over', over.length > 0],
      ['parts', parts.length > 0],
      ['added', notes.some(({ isNew }) => isNew)],
      ['changed', notes.some(({ edit, isNew }) => !isNew || edit !== undefined)],
    ]
    const names = used.flatMap(([name, isUsed]) => (isUsed ? [name] : []))
    if (names.length > 0) {
      const values = [
        [over],
        [parts.map(({ clink }) => clink), parts.map(({ attempts }) => attempts), parts.map(({ result }) => result)],
        [notes.map(({ kind }) => kind), notes.map(({ id }) => id), notes.map(({ row }) => row && toJsonb(row))],
        [notes.map(({ isNew }) => isNew), notes.map(({ edit }) => edit?.born ?? null)],
        [
          notes.map(({ edit }) => edit?.keys.join(' ') ?? ''),
          notes.map(({ edit }) => toJsonb(JSON.stringify(edit?.was ?? []))),
        ],
        [written, over.map((id) => overFor?.get(id) ?? null), parts.map(({ isNew }) => isNew)],
      ].flat()
      after = await carryOut(statementOf(names, FIRST.ofBatch[first]), values)
    }
    const { dropped, kept, removed } = steps
    const ofSteps = (sql: string): string => `WITH ${FIRST.ofSteps[first]}, done AS (${sql}) SELECT FROM me`
    if (dropped.length + removed.length > 0)
      await carryOut(ofSteps(STEPS.remove), [written, dropped, ...columns(removed, ['clink', 'is', 'name'])])
    if (kept.length > 0) await carryOut(ofSteps(STEPS.keep), [written, ...columns(kept, STEP_COLUMNS)])
    return after.flatMap(noteOf)
  }

  async #query(sql: string, values: readonly unknown[]): Promise<readonly QueryResultRow[]> {
    return await this.#with(async (client) => (await client.query<QueryResultRow>(sql, [...values])).rows)
  }

  async #with<Result>(use: (client: PoolClient) => Promise<Result>): Promise<Result> {
    let client: PoolClient | undefined
    try {
      client = await this.#pool.connect()
      await this.#known?.check(client)
      const result = await use(client)
      client.release()
      return result
    } catch (error) {
      const why = client === undefined ? error : await withLack(error, client)
      client?.release(true)
      throw storeError(why, this.#options.url)
    }
  }
}

/** Another member was in the way: deadlocks, and transactions that cannot be put in an order. */
function isOfTheMoment(error: unknown): boolean {
  return ['40001', '40P01'].includes(codeOf(error))
}

/** PostgreSQL has no text with a zero in it. */
function isText(text: string): boolean {
  return !text.includes('\0')
}
