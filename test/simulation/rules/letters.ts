import type { Breach, Rule } from '../judge.ts'
import type { Record } from '../record.ts'
import { configsIn } from '../settings.ts'
import { hadSlotSince } from './leases.ts'

/** Milliseconds between a letter that can be seen, and retried, and the word that its clink is given up. */
const WRITTEN = 50

/** P10: what was given up is not run again, with or without a claim, unless somebody has retried it since; nor is what was discarded. */
export const lettersRest: Rule = ({ plan, record }) =>
  record.runs.flatMap(({ life, clinkId, startedAt: at, isRerun }): readonly Breach[] => {
    const letter = record
      .told(life, clinkId)
      .findLast((told) => told.event.event === 'clink.deadLettered' && told.at < at && !record.isForgotten(told, life))
    const asks = record.asksOf(life, clinkId, at)
    const breach = (text: string): Breach => ({ rule: 'P10', at, life, text: `${clinkId} runs ${text}` })
    const since =
      letter === undefined
        ? 0
        : Math.min(
            writtenBy(record, life, letter.at) - (plan.world.store?.slowest ?? 0),
            toldSince(record, letter.life, clinkId, letter.at),
          )
    const isAsked = asks.some(({ answer, answeredAt = at, askedAt, what }) => {
      // In a fleet it is about the letter that the store has then.
      const doneAt = record.fleet.retriedAt(clinkId, askedAt, Math.min(at, answeredAt)) ?? askedAt
      return what === 'retry' && answer !== 'unknown' && doneAt >= since
    })
    const isDiscarded = asks.some(({ what, answer, answeredAt = at }) => {
      return what === 'discard' && answer === 'done' && answeredAt < at
    })
    return [
      ...(letter !== undefined && !isAsked ? [breach(`though it was given up at ${letter.at}`)] : []),
      ...(isRerun === true && !isAsked ? [breach('without a claim, and nobody has retried it')] : []),
      ...(isDiscarded ? [breach('though its letter was discarded')] : []),
    ]
  })

/** In a fleet a letter can be seen here while the store is being told: since its last run has ended. */
function toldSince(record: Record, life: string, clinkId: string, at: number): number {
  if (record.life(life).isOfFleet !== true) return at
  const ends = record.runsOf(life, clinkId).map(({ endedAt = Infinity }) => endedAt)
  return Math.max(...ends.filter((end) => end <= at), record.fleet.writtenSince(life, at))
}

/** When a letter could be seen at the earliest of which it was told at `at`: a process that fell asleep in between tells of it when it wakes. */
function writtenBy(record: Record, life: string, at: number): number {
  const sleeps = record.livesOf(record.life(life).state).flatMap((one) => one.sleeps)
  const slept = sleeps.filter(({ from, to }) => from < at && to >= at - WRITTEN)
  return Math.min(at, ...slept.map(({ from }) => from)) - WRITTEN
}

/** Reruns have no more than this part of the slots, one at least. */
const PART = 0.5

/** P6: what waits in the inbox goes on beside letters that are retried, however many these are. */
export const rerunsLeaveSlots: Rule = (evidence) => {
  const { plan, record } = evidence
  const reruns = record.runs.filter(({ isRerun }) => isRerun === true)
  return reruns.flatMap((run) => {
    const { life, startedAt: at } = run
    const since = hadSlotSince(evidence, record.life(life), at)
    const slots = configsIn(plan, record, life, since, at).map(({ concurrency }) => concurrency)
    const most = Math.max(1, Math.floor(Math.max(...slots) * PART))
    const active = reruns.filter(
      ({ life: of, startedAt, endedAt = Infinity }) => of === life && startedAt <= at && endedAt > at,
    )
    if (active.length <= most) return []
    return [{ rule: 'P6', at, life, text: `${active.length} letters are run again at once, not ${most}` }]
  })
}
