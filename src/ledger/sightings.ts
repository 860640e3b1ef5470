import type { DeadLetter } from './dead-letters.ts'
import type { Fleet } from './fleet.ts'
import { dropUntil, together, type Table } from './table.ts'
import type { LedgerTables } from './tables.ts'

const HOUR = 3_600_000
const DAY = 86_400_000

/**
 * Which clinks that something is remembered of the inbox still shows: to forget what is discarded, or what we sent ourselves, would have
 * it run; to forget a result that Clink was not told would have it computed again. So these, and attempts, are forgotten only when the
 * inbox was looked at all the time and did not show their clinks. A worker that was away for longer than a day, or whose wall clock was
 * moved by as much, begins to look anew.
 *
 * What we sent ourselves is forgotten sooner, by the first look in an hour that does not show it: there may be one a second, and its last
 * line tells the same.
 */
export class Sightings {
  readonly #tables: LedgerTables
  readonly #wall: () => number
  readonly #fleet: Pick<Fleet, 'changed'> | undefined
  /** There is more to forget than was forgotten in one go. */
  #hasMore = false

  constructor(tables: LedgerTables, wall: () => number, fleet?: Pick<Fleet, 'changed'>) {
    this.#tables = tables
    this.#fleet = fleet
    this.#wall = wall
  }

  /** The inbox shows the clink, or we hold it. Noted once a day at most; of what we sent, twice an hour. */
  see(clinkId: string): Promise<void> {
    const { attempts, letters, own, results } = this.#tables
    const now = this.#wall()
    const letter = letters.get(clinkId)
    const sentAt = own.get(clinkId)
    const touched = [touch(attempts, clinkId, now), touch(results, clinkId, now)]
    const here = together(...touched)
    if (touched.some((write) => write !== undefined)) this.#fleet?.changed(clinkId, 'result', here)
    return together(
      here,
      letter !== undefined && isOld(letter.seen, now) ? letters.set(clinkId, { ...letter, seen: now }) : undefined,
      sentAt !== undefined && isOld(sentAt, now, HOUR / 2) ? own.set(clinkId, now) : undefined,
    )
  }

  /**
   * Everything that the inbox shows was looked at. Noted once an hour at most.
   *
   * @param inHand what it does not show since we hold it.
   */
  async looked(inHand: readonly string[]): Promise<void> {
    const { facts, own } = this.#tables
    const now = this.#wall()
    const last = this.#time('looked') ?? -Infinity
    const isNoted = last <= now && last > now - HOUR
    if (isNoted && !this.#hasMore) return
    const isAnew = last > now || last <= now - DAY
    if (!isNoted)
      await Promise.all([
        facts.set('looked', String(now)),
        isAnew ? facts.set('looking since', String(now)) : undefined,
        ...inHand.map(async (id) => await this.see(id)),
      ])
    this.#hasMore = !(await dropUntil(own, 'at', now - HOUR))
  }

  /** Forgets what the inbox has not shown for `keep` milliseconds in which it was looked at, and a day more. */
  async prune(keep: number): Promise<void> {
    const { attempts, letters, results, steps } = this.#tables
    const now = this.#wall()
    const since = this.#time('looking since')
    if (since === undefined || (this.#time('looked') ?? -Infinity) <= now - DAY) return
    const gone = now - keep - DAY
    if (since > gone) return
    await Promise.all([
      dropUntil(letters, 'gone', gone),
      dropUntil(
        {
          between: (key: 'at', after, by) => attempts.between(key, after, by),
          // Of a letter that somebody may still retry they are what is not done again.
          delete: async (id) =>
            void (await Promise.all([attempts.delete(id), waits(letters.get(id)) ? undefined : steps.drop(id)])),
        },
        'at',
        gone,
      ),
      // And this is what is sent of it.
      dropUntil(results, 'at', gone, (_, id) => waits(letters.get(id))),
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

function touch<Row extends { readonly at: number }>(
  table: Pick<Table<Row>, 'get' | 'set'>,
  id: string,
  now: number,
): Promise<void> | undefined {
  const row = table.get(id)
  return row !== undefined && isOld(row.at, now) ? table.set(id, { ...row, at: now }) : undefined
}

function isOld(seen: number | undefined, now: number, after = DAY): boolean {
  return seen === undefined || seen > now || seen <= now - after
}
