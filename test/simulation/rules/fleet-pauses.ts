import type { Rule } from '../judge.ts'
import type { LifeRecord, Record } from '../record.ts'
import type { FleetPauseRecord } from '../fleet-record.ts'
import { takenWhileHeld } from './holds.ts'

/** Milliseconds within which a member has seen what is paused, where its store answers at once: until its next look, and what that takes. */
const SEEN = 7_000

/**
 * Fleet: what a member has seen to be paused it does not claim, and a member that starts sees it before it claims anything. Where the store answers
 * and the machine does not sleep each sees it within seconds.
 */
export const pausesOfTheFleetAreKept: Rule = ({ record }) =>
  record.fleet.pauses.flatMap((pause) =>
    [...record.lives.values()]
      .filter(({ isOfFleet }) => isOfFleet === true)
      .flatMap((life) => {
        const { name, state } = life
        const hold = {
          state,
          life: name,
          what: 'pause',
          askedAt: pause.from,
          from: heldFrom(record, life, pause),
        } as const
        return takenWhileHeld(record, { ...hold, to: pause.to }, new Set([name]))
      }),
  )

/** From when on a process claims nothing. */
function heldFrom(
  record: Record,
  { name, sleeps, startedAt }: LifeRecord,
  { from, seen, to }: FleetPauseRecord,
): number {
  if (startedAt > from) return startedAt
  const latest = from + SEEN
  const isLate =
    record.fleet.isSlow(name, from - SEEN, latest) || sleeps.some((one) => one.from <= latest && one.to >= from)
  return Math.min(seen.get(name) ?? Infinity, isLate ? to : latest)
}
