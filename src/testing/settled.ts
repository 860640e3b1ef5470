import type { Clink } from '../clink/records.ts'
import type { WorkerEvent } from '../events.ts'

/**
 * What has become of a clink.
 *
 * - `completed`: `response` is its answer, where it has one.
 * - `given-up`: it has failed as often as it may, or was rejected; `response` is what its sender was told, where it was.
 * - `released`: its handler gave it back, or the worker stopped; it is anybody's again.
 * - `lost`: somebody else has it, or has settled it.
 * - `left-alone`: it is none of this worker's work; `reason` says why.
 */
export type SettledAs = 'completed' | 'given-up' | 'released' | 'lost' | 'left-alone'

/** One start of a handler. */
export interface Run {
  /** From 1. */
  readonly attempt: number
  /** The route that took the clink. */
  readonly route: string
  /** `cut-short`: by a stop or a crash. Undefined: it goes on. */
  readonly outcome?: string
  /** In the worker's words. */
  readonly reason?: string
  /** What its code has said itself: the message of an error, or why it has rejected. */
  readonly said?: string
  readonly error?: Error
  /** Milliseconds. */
  readonly duration?: number
}

/** One line of `ctx.log`. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
  /** The start that said it. */
  readonly attempt: number
}

/** A `ctx.step` that a run came to. */
export interface Step {
  readonly name: string
  /** `kept`: an earlier run had done it. */
  readonly was: 'done' | 'kept'
  /** The start that came to it. */
  readonly attempt: number
}

export interface Settled {
  readonly outcome: SettledAs
  readonly response?: string
  readonly reason?: string
  /** How often its handler was started. */
  readonly attempts: number
  readonly runs: readonly Run[]
  readonly log: readonly LogLine[]
  readonly steps: readonly Step[]
}

type End = Pick<Settled, 'outcome' | 'response' | 'reason'>
type ClinkEvent = Extract<WorkerEvent, { readonly clink: Clink }>

/** Ends of a claim after which the clink comes back by itself, and is worked on. */
const COMES_BACK: ReadonlySet<string> = new Set(['hold-too-long', 'too-many-held', 'unavailable', 'parked'])
/** Reasons for which a clink is left alone now, and worked later or by somebody else in this process. */
const LATER: ReadonlySet<string> = new Set([
  'cooling',
  'in-hand',
  'not-claimed',
  'paused',
  'stopping',
  'unjudged',
  'identity-unknown',
])

interface Story {
  readonly events: WorkerEvent[]
  /** What was found of so many of them. */
  found: { readonly of: number; readonly isStopped: boolean; readonly end: End | undefined } | undefined
}

/** What is known of each clink by the events of a worker, over all its lives. */
export class Told {
  readonly #events: readonly WorkerEvent[]
  readonly #stories = new Map<string, Story>()
  /** So many events are in the stories. */
  #read = 0

  constructor(events: readonly WorkerEvent[]) {
    this.#events = events
  }

  /**
   * How a clink has ended; undefined: it has not.
   *
   * @param isStopped no worker is there that could go on with it.
   */
  endOf(clinkId: string, isStopped: boolean): End | undefined {
    const story = this.#storyOf(clinkId)
    const { events, found } = story
    if (found?.of === events.length && found.isStopped === isStopped) return found.end
    const end = endOf(events, isStopped)
    story.found = { of: events.length, isStopped, end }
    return end
  }

  /** Each start of a handler for a clink, in order. */
  runsOf(clinkId: string): readonly Run[] {
    const runs: Run[] = []
    for (const event of this.#of(clinkId)) {
      if (event.event === 'clink.started') runs.push({ attempt: event.attempt ?? 1, route: event.route ?? '' })
      if (event.event !== 'clink.ended') continue
      const { duration, error, outcome, reason, said } = event
      const last = runs.pop()
      if (last === undefined) continue
      runs.push({
        ...last,
        outcome,
        duration,
        ...(reason === undefined ? {} : { reason }),
        ...(said === undefined ? {} : { said }),
        ...(error === undefined ? {} : { error }),
      })
    }
    return runs
  }

  logOf(clinkId: string): readonly LogLine[] {
    return this.#of(clinkId).flatMap((event) => {
      if (event.event !== 'clink.log') return []
      return [{ level: event.level, message: event.message, fields: event.fields ?? {}, attempt: event.attempt ?? 1 }]
    })
  }

  stepsOf(clinkId: string): readonly Step[] {
    return this.#of(clinkId).flatMap((event) => {
      if (event.event !== 'clink.step') return []
      return [{ name: event.name, was: event.was, attempt: event.attempt ?? 1 }]
    })
  }

  #of(clinkId: string): readonly ClinkEvent[] {
    return this.#storyOf(clinkId).events.filter((event) => 'clink' in event)
  }

  #storyOf(clinkId: string): Story {
    for (const event of this.#events.slice(this.#read)) {
      const id = 'clink' in event ? event.clink.clink_id : event.event === 'clink.leftAlone' ? event.clinkId : undefined
      if (id !== undefined) this.#begun(id).events.push(event)
    }
    this.#read = this.#events.length
    return this.#begun(clinkId)
  }

  #begun(clinkId: string): Story {
    const story = this.#stories.get(clinkId) ?? { events: [], found: undefined }
    this.#stories.set(clinkId, story)
    return story
  }
}

function endOf(events: readonly WorkerEvent[], isStopped: boolean): End | undefined {
  let end: End | undefined
  let givenUp: string | undefined
  for (const event of events) {
    if (event.event === 'clink.leftAlone' && end === undefined && !LATER.has(event.why))
      end = { outcome: 'left-alone', reason: event.why }
    if (!('clink' in event)) continue
    if (event.event === 'clink.claimed' || event.event === 'clink.takenUp') end = undefined
    if (event.event === 'clink.deadLettered') givenUp = event.reason
    end = endBy(event, givenUp, isStopped) ?? end
  }
  return end
}

function endBy(event: ClinkEvent, givenUp: string | undefined, isStopped: boolean): End | undefined {
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- other facts end nothing
  switch (event.event) {
    case 'clink.completed': {
      const answer = event.response === undefined ? {} : { response: event.response }
      return givenUp === undefined
        ? { outcome: 'completed', ...answer }
        : { outcome: 'given-up', reason: givenUp, ...answer }
    }
    case 'clink.released': {
      if (givenUp !== undefined) return { outcome: 'given-up', reason: givenUp }
      if (COMES_BACK.has(event.why) || (event.why === 'shutdown' && !isStopped)) return undefined
      return { outcome: 'released', reason: event.reason ?? event.why }
    }
    case 'clink.settledElsewhere':
      return { outcome: 'lost', reason: event.detail }
    case 'clink.lost':
      return { outcome: 'lost', reason: event.cause }
    case 'clink.parked':
      return LATER.has(event.why) ? undefined : { outcome: 'left-alone', reason: event.why }
    default:
      return undefined
  }
}
