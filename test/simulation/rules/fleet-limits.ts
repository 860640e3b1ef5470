import type { Breach, Evidence, Rule } from '../judge.ts'
import type { EventRecord, LifeRecord } from '../record.ts'
import { configsIn } from '../settings.ts'
import { slept } from './leases.ts'
import { givesKeyUp, keyOf } from './limits.ts'

interface Holder {
  readonly id: string
  readonly life: LifeRecord
  readonly since: number
}

/** docs/fleet.md: what is limited for all is limited for all members together. */
export const fleetLimitsAreKept: Rule = (evidence) => [...ratesAreKept(evidence), ...keysAreKept(evidence)]

/** In no window do all of them start more than the rate allows. */
function ratesAreKept({ plan, record }: Evidence): readonly Breach[] {
  const { rate } = plan.world.limits ?? {}
  if (rate?.scope !== 'fleet') return []
  return record.runs.flatMap(({ life, startedAt: at }) => {
    const count = record.runs.filter(({ startedAt }) => startedAt <= at && startedAt > at - rate.window).length
    return count <= rate.count ? [] : [breach(at, life, `${count} starts in ${rate.window} ms, not ${rate.count}`)]
  })
}

/**
 * From its first start to its settlement, or to the end of the process that works it, a clink is the only one of its key that any member starts. The
 * right of a process that stood still may have ended, and that process does not know it yet. One that could not renew its right has none for what waits
 * for its next try, and what waits for a paused route leaves its key to others.
 */
function keysAreKept({ emulator, plan, record }: Evidence): readonly Breach[] {
  const { serial, serialScope } = plan.world.limits ?? {}
  if (serial === undefined || serialScope !== 'fleet' || plan.world.field?.name === `${serial}_id`) return []
  const holders = new Map<string, Holder>()
  return eventsOf(record).flatMap(({ at, event, life: name }) => {
    const life = record.lives.get(name)
    if (!('clink' in event) || life === undefined) return []
    const { clink_id: id } = event.clink
    const clink = emulator.clink(id)
    if (clink === undefined) return []
    const key = keyOf(clink, serial)
    const holder = holders.get(key)
    const isTheirs = holder?.id === id && holder.life === life
    if (isTheirs && givesKeyUp(event)) holders.delete(key)
    if (event.event !== 'clink.started') return []
    holders.set(key, { id, life, since: at })
    if (holder === undefined || holder.life === life || isOver(holder.life, at)) return []
    return slept(holder.life, holder.since, at) || hasNoRight({ plan, record }, holder, at)
      ? []
      : [breach(at, name, `${id} starts beside ${holder.id} of ${key}, which ${holder.life.name} has in hand`)]
  })
}

/** Nothing of it runs, and since its start the store has once heard nothing of its key for as long as a right lasts. */
function hasNoRight(
  { plan, record }: Pick<Evidence, 'plan' | 'record'>,
  { id, life, since }: Holder,
  at: number,
): boolean {
  const runs = record.runsOf(life.name, id)
  if (runs.some(({ endedAt = Infinity, startedAt }) => startedAt <= at && endedAt > at)) return false
  const lasts = Math.max(...configsIn(plan, record, life.name, 0, at).map(({ claim }) => claim.timeout))
  const calls = record.fleet.calls.get(life.name) ?? []
  const done = calls.flatMap(({ doneAt, keysOf }) =>
    keysOf?.includes(id) === true && doneAt !== undefined ? [doneAt] : [],
  )
  const heard = [...done.filter((time) => time <= at), at].toSorted((a, b) => a - b)
  return heard.some((time, index) => time > since && time - (heard[index - 1] ?? -Infinity) >= lasts)
}

/** What all members have said, in order. */
function eventsOf(record: Evidence['record']): readonly EventRecord[] {
  return [...record.eventsByLife.values()].flat().sort((one, other) => one.at - other.at)
}

function isOver({ crashedAt, stoppedAt }: LifeRecord, at: number): boolean {
  return (crashedAt ?? Infinity) <= at || (stoppedAt ?? Infinity) <= at
}

function breach(at: number, life: string, text: string): Breach {
  return { rule: 'limits', at, life, text: `${text}, in the fleet` }
}
