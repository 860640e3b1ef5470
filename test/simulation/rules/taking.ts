import { workerOf } from '../plan.ts'
import { configsIn } from '../settings.ts'
import type { Breach, Rule } from '../judge.ts'
import type { LifeRecord, Record, RequestRecord } from '../record.ts'
import { asksForLength, claimEnd } from './leases.ts'

/** Facts after which a clink has a slot or waits for one, after which it is held without one, and after which it is not in hand. */
const TAKES: ReadonlySet<string> = new Set(['clink.claimed', 'clink.started'])
const ENDS: ReadonlySet<string> = new Set([
  'clink.completed',
  'clink.released',
  'clink.leftToExpire',
  'clink.settledElsewhere',
  'clink.lost',
])
/** Milliseconds that what a lost poll may have claimed is looked for. */
const LOOKED_FOR = 10_000

/**
 * P6: the clinks that are asked for, the slots in use, the claims on their way and those that a lost poll may have made are never more than
 * there are slots. A claim is on its way until it is answered, and for ten seconds at most.
 */
export const asksForWhatCanStart: Rule = ({ plan, record }) =>
  [...record.lives.values()].flatMap((life) => {
    const isExclusive = workerOf(plan, life.name).config.claim.exclusive
    const slots = new SlotsInUse(record, life)
    const asking: RequestRecord[] = []
    const first = record.requests.find(
      ({ life: of, kind }) => of === life.name && (kind === 'poll' || kind === 'probe'),
    )
    const looksFrom = first?.begunAt ?? Infinity
    return record.requests.flatMap((request): readonly Breach[] => {
      const { kind, begunAt: at, n, limit } = request
      if (request.life !== life.name || (kind !== 'poll' && kind !== 'claim')) return []
      const used = slots.at(at)
      if (kind === 'claim' && (slots.holds(request.clinkId) || !isFresh(record, request, looksFrom))) return []
      const asked = kind === 'poll' ? limit : 1
      const underWay = asking.filter(({ begunAt, endedAt = Infinity }) => endedAt > at && begunAt > at - LOOKED_FOR)
      const claims = underWay.filter((one) => one.kind === 'claim').length
      const polled = underWay.reduce((sum, one) => (one.kind === 'poll' ? sum + one.limit : sum), 0)
      const lost = isExclusive || knowsBy(record, life, at) ? mayHaveClaimed(record, life, asking, at) : 0
      const lostPolls = asking.filter((one) => one.kind === 'poll' && (one.endedAt ?? 0) > at - LOOKED_FOR)
      asking.push(request)
      const sum = `${asked} asked, ${used} in hand, ${polled + claims} claims under way, ${lost} claims lost`
      // What is claimed by id beside polls is what a lost one may have claimed: a claim may be for one of these. What was held and is due,
      // and a letter that is run again, takes its slot all the same, and leaves one less for them: a look may have shown how few there are.
      const since = Math.min(at - LOOKED_FOR, ...lostPolls.map(({ begunAt }) => begunAt))
      const kept = Math.max(claims, kind === 'claim' ? lost - 1 - slots.wokenSince(since, at) : lost)
      const most = (time: number): number =>
        Math.max(...configsIn(plan, record, life.name, time).map((config) => config.concurrency))
      const concurrency = most(at)
      // What was lost may be more than there are slots since then: to take one of these up asks for nothing new.
      const then = Math.max(concurrency, ...(kind === 'claim' ? lostPolls.map(({ begunAt }) => most(begunAt)) : []))
      // A poll asks for one, whatever that weighs: what a later one has brought may have taken the slot of what was lost before.
      const isForLost = kind === 'claim' && lost > 0
      const inUse = used * (isForLost ? 1 : Math.min(plan.world.limits?.weight ?? 1, concurrency))
      const whole = asked + inUse + polled
      if (whole <= concurrency && whole + kept <= then) return []
      return [{ rule: 'P6', at, life: life.name, text: `#${n} (${kind}) asks for more than ${concurrency}: ${sum}` }]
    })
  })

/** A claim that is not for what a poll has just brought, nor for what is parked, nor for what an earlier process held. */
function isFresh(record: Record, request: RequestRecord, looksFrom: number): boolean {
  const { clinkId, life, begunAt } = request
  // A claim may have run out that is asked about because nobody knows how long it lasts.
  if (begunAt < looksFrom || asksForLength(record, request)) return false
  return clinkId !== undefined && claimEnd(record, life, clinkId, begunAt) <= begunAt
}

/** Whether claims by id were known to be safe for so long that all that was lost counts. What an earlier process could not write nobody knows. */
function knowsBy(record: Record, life: LifeRecord, at: number): boolean {
  return record
    .livesOf(life.state)
    .flatMap(({ name }) => record.eventsByLife.get(name) ?? [])
    .some(
      ({ at: told, event, life: by }) =>
        event.event === 'worker.siblings' &&
        event.verdict === 'refused' &&
        told < at - LOOKED_FOR &&
        !record.isForgotten({ at: told, life: by }, life.name),
    )
}

function mayHaveClaimed(record: Record, life: LifeRecord, asked: readonly RequestRecord[], at: number): number {
  // Where local time jumped, the time for looking was shorter.
  if (life.jumps.length > 0 || life.sleeps.length > 0) return 0
  const lost = asked.filter(
    ({ kind, endedAt = Infinity, sentAt, ended }) =>
      kind === 'poll' && endedAt < at && endedAt > at - LOOKED_FOR && sentAt !== undefined && ended !== 'answered',
  )
  if (lost.length === 0) return 0
  const first = Math.min(...lost.map(({ endedAt = 0 }) => endedAt))
  const found = (record.eventsByLife.get(life.name) ?? []).filter(
    (told) => told.event.event === 'clink.takenUp' && told.at >= first && told.at <= at,
  )
  return Math.max(0, lost.reduce((sum, { limit }) => sum + limit, 0) - found.length)
}

/** What a process has in hand, by its own account and its handlers'. It is asked in the order of time. */
export class SlotsInUse {
  readonly #record: Record
  readonly #life: string
  readonly #taken = new Set<string>()
  readonly #held = new Set<string>()
  /** At the time that was asked for last. */
  readonly #justTaken = new Set<string>()
  /** Those that were held and have started again, and when. */
  readonly #woken = new Map<string, number>()
  #next = 0

  constructor(record: Record, { name }: LifeRecord) {
    this.#record = record
    this.#life = name
  }

  holds(clinkId: string | undefined): boolean {
    return clinkId !== undefined && [this.#taken, this.#held, this.#justTaken].some((ids) => ids.has(clinkId))
  }

  /** How many of those in use have started again since then, after they were held or as letters. */
  wokenSince(time: number, now: number): number {
    const reruns = this.#record.runs.filter(({ endedAt = Infinity, isRerun, life, startedAt }) => {
      return life === this.#life && isRerun === true && startedAt >= time && startedAt < now && endedAt > now
    })
    return [...this.#woken.values()].filter((at) => at >= time).length + reruns.length
  }

  /** How many slots are in use. */
  at(time: number): number {
    return this.by(time).size
  }

  /** The clinks that use slots. What happens at that very time may have been before: it only gives. */
  by(time: number): ReadonlySet<string> {
    const events = this.#record.eventsByLife.get(this.#life) ?? []
    for (; (events[this.#next]?.at ?? Infinity) < time; this.#next += 1) {
      const event = events[this.#next]?.event
      if (event === undefined || !('clink' in event)) continue
      const id = event.clink.clink_id
      // What is told without a route is of an earlier claim, which was parked: its release may be answered when another one is in hand.
      const isEnd = ENDS.has(event.event) && 'route' in event
      if (TAKES.has(event.event) && this.#held.has(id)) this.#woken.set(id, events[this.#next]?.at ?? 0)
      if (event.event === 'clink.held' || isEnd) this.#woken.delete(id)
      if (TAKES.has(event.event) || isEnd) this.#held.delete(id)
      if (TAKES.has(event.event)) this.#taken.add(id)
      if (event.event === 'clink.held') this.#held.add(id)
      if (event.event === 'clink.held' || isEnd) this.#taken.delete(id)
    }
    const taken = new Set(this.#taken)
    for (const { life, clinkId, startedAt, endedAt = Infinity } of this.#record.runs)
      if (life === this.#life && startedAt < time && endedAt > time) taken.add(clinkId)
    this.#justTaken.clear()
    for (let next = this.#next; events[next]?.at === time; next += 1) {
      const event = events[next]?.event
      if (event === undefined || !('clink' in event)) continue
      if (TAKES.has(event.event)) this.#justTaken.add(event.clink.clink_id)
      else taken.delete(event.clink.clink_id)
    }
    return taken
  }
}
