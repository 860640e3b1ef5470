import type { Logger } from 'pino'
import type { Clink } from '../clink/records.ts'
import type { WorkerEvent } from '../events.ts'
import { Discretion } from './discretion.ts'
import { loggable } from './fields.ts'
import { levelOf } from './levels.ts'

export interface EventLogOptions {
  /** Whether the content of clinks and responses is shown; it may change. */
  readonly content: boolean
  /** What the places of errors are shown relative to. */
  readonly cwd?: string
}

/**
 * A subscriber that turns each fact into one line: `event`, `clink`, `group`, `handler`, `attempt`, `duration`, then what else
 * the event says. Times are whole milliseconds.
 */
export function logEvents(logger: Logger, options: EventLogOptions): (event: WorkerEvent) => void {
  const discretion = new Discretion(options.cwd ?? process.cwd())
  return (event) => {
    discretion.note(event)
    const level = levelOf(event)
    if (!logger.isLevelEnabled(level)) return
    // A run that was cut short on purpose ends with an error too, and its stack tells nothing.
    const stacks = logger.isLevelEnabled('debug') && level !== 'info'
    const fields = loggable(fieldsOf(event, options), { stacks })
    logger[level](options.content ? fields : discretion.apply(event, fields))
  }
}

/** The content stands on the line that a clink comes with, not on every later one. */
const ARRIVALS: ReadonlySet<string> = new Set(['clink.claimed', 'clink.parked', 'clink.deadLettered'])

function fieldsOf(event: WorkerEvent, { content }: EventLogOptions): Record<string, unknown> {
  const { event: name, ...rest } = event
  const { clink, clinkId, route, attempt, duration, response, until, ...own }: EveryField = rest
  if (event.event === 'clink.log') Reflect.deleteProperty(own, 'level')
  const fields: Record<string, unknown> = {
    event: name,
    clink: clink?.clink_id ?? clinkId,
    group: clink?.group_slug ?? clink?.group_id,
    handler: route,
    attempt,
    duration: whole(duration),
  }
  for (const field of Object.keys(own)) fields[field] = whole(own[field])
  if (until !== undefined) fields['until'] = new Date(until).toISOString()
  if (content && clink !== undefined && ARRIVALS.has(name)) fields['content'] = clink.content
  if (content && response !== undefined) fields['response'] = response
  return fields
}

interface EveryField {
  readonly clink?: Clink
  readonly clinkId?: string | undefined
  readonly route?: string
  readonly attempt?: number
  readonly duration?: number
  readonly response?: string
  readonly until?: number
  readonly [other: string]: unknown
}

function whole(value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value) : value
}
