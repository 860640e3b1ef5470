import type { DeadLetter } from './dead-letters.ts'
import type { Attempts, KeptResult } from './remembered.ts'
import { dropRows, type Table } from './table.ts'

const HOUR = 3_600_000
const DAY = 86_400_000

export interface SightingTables {
  readonly attempts: Table<Attempts>
  readonly results: Table<KeptResult>
  readonly letters: Table<DeadLetter>
  /** Wall time at which we sent a clink, or the inbox showed it. */
  readonly own: Table<number>
  readonly facts: Table<string>
}

/**
 * Which clinks that something is remembered of the inbox still shows: to forget what is discarded, or what we sent ourselves, would have
 * it run; to forget a result that Clink was not told would have it computed again. So these, and attempts, are forgotten only when the
 * inbox was looked at all the time and did not show their clinks. A worker that was away for longer than a day, or whose wall clock was
 * moved by as much, begins to look anew.
 */
export class Sightings {
  readonly #tables: SightingTables
  readonly #wall: () => number

  constructor(tables: SightingTables, wall: () => number) {
    this.#tables = tables
    this.#wall = wall
  }

  /** The inbox shows the clink. Noted once a day at most. */
  async see(clinkId: string): Promise<void> {
    const { attempts, letters, own, results } = this.#tables
    const now = this.#wall()
    const letter = letters.get(clinkId)
    const sentAt = own.get(clinkId)
    await Promise.all([
      touch(attempts, clinkId, now),
      touch(results, clinkId, now),
      letter !== undefined && isOld(letter.seen, now) ? letters.set(clinkId, { ...letter, seen: now }) : undefined,
      sentAt !== undefined && isOld(sentAt, now) ? own.set(clinkId, now) : undefined,
    ])
  }

  /** Everything that the inbox shows was looked at. Noted once an hour at most. */
  async looked(): Promise<void> {
    const { facts } = this.#tables
    const now = this.#wall()
    const last = this.#time('looked') ?? -Infinity
    if (last <= now && last > now - HOUR) return
    const isAnew = last > now || last <= now - DAY
    await Promise.all([facts.set('looked', String(now)), isAnew ? facts.set('looking since', String(now)) : undefined])
  }

  /** Forgets what the inbox has not shown for `keep` milliseconds in which it was looked at, and a day more. */
  async prune(keep: number): Promise<void> {
    const { attempts, letters, own, results } = this.#tables
    const now = this.#wall()
    const since = this.#time('looking since')
    if (since === undefined || (this.#time('looked') ?? -Infinity) <= now - DAY) return
    const isGone = (at: number): boolean => Math.max(at, since) <= now - keep - DAY
    await Promise.all([
      dropRows(letters, ({ at, discarded, seen = at }) => discarded === true && isGone(Math.max(at, seen))),
      dropRows(own, isGone),
      dropRows(attempts, ({ at }) => isGone(at)),
      // Of a letter that somebody may still retry it is what is sent.
      dropRows(results, ({ at }, id) => isGone(at) && !waits(letters.get(id))),
    ])
  }

  #time(fact: string): number | undefined {
    const text = this.#tables.facts.get(fact)
    return text === undefined ? undefined : Number(text)
  }
}

function waits(letter: DeadLetter | undefined): boolean {
  return letter !== undefined && letter.discarded !== true
}

async function touch<Row extends { readonly at: number }>(table: Table<Row>, id: string, now: number): Promise<void> {
  const row = table.get(id)
  if (row !== undefined && isOld(row.at, now)) await table.set(id, { ...row, at: now })
}

function isOld(seen: number | undefined, now: number): boolean {
  return seen === undefined || seen > now || seen <= now - DAY
}
