import { humanDuration } from '../../base/duration.ts'
import type { Expected, LoopName } from './pulses.ts'

export interface Liveness {
  readonly alive: boolean
  /** Why it is not, for people. */
  readonly reasons: readonly string[]
}

/** The heart at one moment. */
export interface Vitals {
  readonly expected: readonly Expected[]
  /** Milliseconds for which nothing can start, because every slot is held by a handler that ignores its abort. */
  readonly allStuckFor: number | undefined
  /** Milliseconds for which no slot was free, though nothing has one. */
  readonly lockedOutFor: number | undefined
}

/** How late a loop may be: timers are late on a machine that is busy or was asleep, and requests end a little after their timeout. */
const LATE = 20_000
const STUCK = 300_000

/**
 * Whether the worker still gets further. That it answers proves nothing, and that it waits is no fault: a loop stands still when it
 * is not back 20 s after it said that it would be.
 */
export function liveness({ allStuckFor, expected, lockedOutFor }: Vitals): Liveness {
  const late = new Map<LoopName, Expected[]>()
  for (const one of expected) {
    if (one.dueBy >= LATE) late.set(one.loop, [...(late.get(one.loop) ?? []), one])
  }
  const reasons = [...late].map(([loop, all]) => standing(loop, all))
  if (allStuckFor !== undefined && allStuckFor >= STUCK) {
    reasons.push(`no slot is free for ${humanDuration(allStuckFor)}: every handler that runs ignores its abort`)
  }
  if (lockedOutFor !== undefined && lockedOutFor >= STUCK) {
    reasons.push(
      `no slot is free for ${humanDuration(lockedOutFor)}, though nothing runs: this is a mistake of the worker's`,
    )
  }
  return { alive: reasons.length === 0, reasons }
}

function standing(loop: LoopName, all: readonly Expected[]): string {
  const [first, ...others] = all.toSorted((a, b) => b.since - a.since)
  const of = first?.clinkId === undefined ? '' : ` of ${first.clinkId}`
  const more = others.length === 0 ? '' : ` and of ${others.length} more`
  const [since, dueBy] = [humanDuration(first?.since ?? 0), humanDuration(first?.dueBy ?? 0)]
  return `the ${loop}${of}${more} stands still since ${since} ago; it was due ${dueBy} ago`
}
