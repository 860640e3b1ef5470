import { KILLER } from '../plan.ts'
import type { Rule } from '../judge.ts'
import type { LifeRecord, Record } from '../record.ts'

/** Facts after which a process has a claim no more. */
const ENDS: ReadonlySet<string> = new Set([
  'clink.completed',
  'clink.released',
  'clink.lost',
  'clink.leftToExpire',
  'clink.settledElsewhere',
  'clink.deadLettered',
])
/** Milliseconds after which everything is journalled, and after which a start has done what it does first. */
const SETTLED = 100

/** P9: claims that the process before held when it crashed, and that still stand, are held on to at once. */
export const claimsAreHeldOnTo: Rule = ({ record }) =>
  [...record.lives.values()].flatMap((life) => {
    const before = record.livesOf(life.state).findLast(({ startedAt }) => startedAt < life.startedAt)
    if (before?.crashedAt === undefined || before.boot !== life.boot || before.jumps.length > 0) return []
    if ((life.crashedAt ?? Infinity) < life.startedAt + SETTLED || life.sleeps.length > 0) return []
    return heldBy(record, before).flatMap((clinkId) => {
      if (trustedUntil(record, before, clinkId) <= life.startedAt + SETTLED) return []
      const isSaid = record
        .told(life.name, clinkId)
        .some(({ at }) => at >= life.startedAt && at <= life.startedAt + SETTLED)
      if (isSaid) return []
      const text = `the claim on ${clinkId}, which ${before.name} held, is not held on to`
      return [{ rule: 'P9', at: life.startedAt, life: life.name, text }]
    })
  })

/** Until when a process that crashed had trusted its claim, by its own account. */
function trustedUntil(record: Record, { name, crashedAt = 0 }: LifeRecord, clinkId: string): number {
  const ends = (record.eventsByLife.get(name) ?? []).flatMap(({ at, event }) => {
    if (!('clink' in event) || event.clink.clink_id !== clinkId) return []
    if (event.event === 'clink.claimed') return [{ at, end: at + event.lease }]
    return event.event === 'clink.renewed' ? [{ at, end: at + event.left }] : []
  })
  const journalled = ends.findLastIndex(({ at }) => at < crashedAt - SETTLED)
  // Of the last ones it is not known whether they were journalled; some renewals shorten a claim.
  return journalled < 0 ? -Infinity : Math.min(...ends.slice(journalled).map(({ end }) => end))
}

/** Clinks that a process held when it crashed, by its own account. */
function heldBy(record: Record, { name, crashedAt = 0 }: LifeRecord): readonly string[] {
  const claimed = (record.eventsByLife.get(name) ?? []).flatMap(({ at, event }) =>
    event.event === 'clink.claimed' && at < crashedAt - SETTLED ? [event.clink.clink_id] : [],
  )
  return [...new Set(claimed)].filter((clinkId) => {
    const told = record.told(name, clinkId).filter(({ at }) => at <= crashedAt)
    const last = told.findLastIndex(({ event }) => event.event === 'clink.claimed')
    const isReleased = record.requestsByClink
      .get(clinkId)
      ?.some(({ kind, life }) => life === name && (kind === 'release' || kind === 'complete'))
    const isActedOn = record.acts.some((act) => act.clinkId === clinkId)
    return isReleased !== true && !isActedOn && !told.slice(last).some(({ event }) => ENDS.has(event.event))
  })
}

/** P9: a clink is given up for crashes only when it was running in as many of them. */
export const killersAreFound: Rule = ({ plan, record, emulator }) =>
  [...record.eventsByLife].flatMap(([life, events]) =>
    events.flatMap(({ at, event }) => {
      if (event.event !== 'clink.deadLettered' || !event.reason.includes('while this clink ran alone')) return []
      const { clink_id: id } = event.clink
      const crashes = record
        .runsOf(life, id)
        .filter((run) => run.endedAt === undefined && record.life(run.life).crashedAt !== undefined)
      const { retry } = plan.workers.find(({ name }) => life.startsWith(`${name}.`))?.config ?? {}
      if (emulator.clink(id)?.content === KILLER || crashes.length >= (retry?.crashes ?? 0)) return []
      return [{ rule: 'P9', at, life, text: `${id} is given up for ${crashes.length} crashes` }]
    }),
  )
