import { isoTime, readMoment, readTime } from '../base/time-text.ts'

/** A moment of the service's clock, and a local time before which it cannot have been. */
export interface Mark {
  readonly stamp: number
  readonly sentAt: number
}

/**
 * What the service's own time stamps tell about local time, without comparing the two clocks: of two stamps the later one was made
 * later, so it was made after the request that brought the earlier one was sent.
 */
export class ServiceTime {
  #newest: readonly Mark[] = []

  /** The newest stamp that was seen, and the one before it: what is as old as the newest may have been made before or after it. */
  get newest(): readonly Mark[] {
    return this.#newest
  }

  /** @param sentAt local time before which the stamp cannot have been made. */
  note(text: string | null | undefined, sentAt: number): void {
    const stamp = readTime(text)
    const [last] = this.#newest
    if (stamp === undefined || stamp <= (last?.stamp ?? -Infinity)) return
    this.#newest = [{ stamp, sentAt }, ...(last === undefined ? [] : [last])]
  }
}

/** A local time before which the stamp cannot have been made; undefined: the marks do not tell. @param marks the newest first. */
export function notBefore(text: string | null | undefined, marks: readonly Mark[]): number | undefined {
  const stamp = readTime(text) ?? -Infinity
  return marks.find((mark) => stamp > mark.stamp)?.sentAt
}

/** The end of the years that every reader of times takes. */
const LATEST = 253_402_300_800_000

/**
 * A moment that is certainly not after the one that the text names, so that a bound which excludes its own moment takes it in; NaN
 * where it names none, or one in which no clink can have been made.
 */
export function startOf(time: string | null | undefined): number {
  const { at, grain } = readMoment(time) ?? { at: Number.NaN, grain: 0 }
  const start = at - grain
  return start >= 0 && start < LATEST ? start : Number.NaN
}

/** What to list from, for a list in which a clink of that time stands; nothing where the time says nothing. */
export function sinceOf(time: string | null | undefined): { readonly since?: string } {
  const start = startOf(time)
  return Number.isNaN(start) ? {} : { since: isoTime(start) }
}
