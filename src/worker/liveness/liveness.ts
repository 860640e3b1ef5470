import { humanDuration } from '../../base/duration.ts'
import type { Expected, LoopName } from './pulses.ts'

export interface Liveness {
  readonly alive: boolean
  /** Why it is not, for people. */
  readonly reasons: readonly string[]
}

/** The heart at one moment, in local time. */
export interface Vitals {
  readonly now: number
  readonly expected: readonly Expected[]
  /** Since when nothing can start, because every slot is held by a handler that ignores its abort. */
  readonly allStuckSince: number | undefined
}

/** How late a loop may be: timers are late on a machine that is busy or was asleep, and requests end a little after their timeout. */
const LATE = 60_000
const STUCK = 300_000

/**
 * Whether the worker still gets further. That it answers proves nothing, and that it waits is no fault: a loop stands still when it
 * is not back a minute after it said that it would be.
 */
export function liveness({ now, expected, allStuckSince }: Vitals): Liveness {
  const late = new Map<LoopName, Expected[]>()
  for (const one of expected) {
    if (now >= one.dueBy + LATE) late.set(one.loop, [...(late.get(one.loop) ?? []), one])
  }
  const reasons = [...late].map(([loop, all]) => standing(loop, all, now))
  if (allStuckSince !== undefined && now >= allStuckSince + STUCK) {
    reasons.push(`no slot is free for ${ago(allStuckSince, now)}: every handler that runs ignores its abort`)
  }
  return { alive: reasons.length === 0, reasons }
}

function standing(loop: LoopName, all: readonly Expected[], now: number): string {
  const [first, ...others] = all.toSorted((a, b) => a.since - b.since)
  const of = first?.clinkId === undefined ? '' : ` of ${first.clinkId}`
  const more = others.length === 0 ? '' : ` and of ${others.length} more`
  const since = ago(first?.since ?? now, now)
  return `the ${loop}${of}${more} stands still since ${since} ago; it was due ${ago(first?.dueBy ?? now, now)} ago`
}

function ago(then: number, now: number): string {
  return humanDuration(now - then)
}
