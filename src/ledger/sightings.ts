import type { DeadLetter } from './dead-letters.ts'
import { dropRows, type Table } from './table.ts'

const HOUR = 3_600_000
const DAY = 86_400_000

export interface SightingTables {
  readonly letters: Table<DeadLetter>
  /** Wall time at which we sent a clink, or the inbox showed it. */
  readonly own: Table<number>
  readonly facts: Table<string>
}

/**
 * Which clinks that are never to be run the inbox still shows: to forget one of those would have it run. So what is discarded, and what
 * we sent ourselves, is forgotten only when the inbox was looked at all the time and did not show it. A worker that was
 * away for longer than a day begins to look anew.
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
    const { letters, own } = this.#tables
    const now = this.#wall()
    const letter = letters.get(clinkId)
    const sentAt = own.get(clinkId)
    await Promise.all([
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
    const { letters, own } = this.#tables
    const now = this.#wall()
    const since = this.#time('looking since')
    if (since === undefined || (this.#time('looked') ?? -Infinity) <= now - DAY) return
    const isGone = (at: number): boolean => Math.max(at, since) <= now - keep - DAY
    await Promise.all([
      dropRows(letters, ({ at, discarded, seen = at }) => discarded === true && isGone(Math.max(at, seen))),
      dropRows(own, isGone),
    ])
  }

  #time(fact: string): number | undefined {
    const text = this.#tables.facts.get(fact)
    return text === undefined ? undefined : Number(text)
  }
}

function isOld(seen: number | undefined, now: number): boolean {
  return seen === undefined || seen > now || seen <= now - DAY
}
