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
  /** Where lines go, which some may reach together with others of their turn. Default: each at once. */
  readonly output?: { together(write: () => void): void; flush(): void }
}

/** The lines that every clink has. */
const COMMON: ReadonlySet<WorkerEvent['event']> = new Set(['clink.claimed', 'clink.completed'])

/**
 * A subscriber that turns each fact into one line: `event`, `clink`, `group`, `handler`, `attempt`, `duration`, then what else
 * the event says. Times are whole milliseconds.
 */
export function logEvents(logger: Logger, options: EventLogOptions): (event: WorkerEvent) => void {
  const discretion = new Discretion(options.cwd ?? process.cwd())
  const { output } = options
  return (event) => {
    discretion.note(event)
    // What it runs may never let go of the event loop, and somebody will look for what it was.
    if (event.event === 'clink.started') output?.flush()
    const level = levelOf(event)
    if (!logger.isLevelEnabled(level)) return
    // A run that was cut short on purpose ends with an error too, and its stack tells nothing.
    const stacks = logger.isLevelEnabled('debug') && level !== 'info'
    const fields = fieldsOf(event, options)
    const shown = isPlain(fields) ? fields : loggable(fields, { stacks })
    const write = (): void => logger[level](options.content ? shown : discretion.apply(event, shown))
    if (output !== undefined && COMMON.has(event.event)) output.together(write)
    else write()
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

/** Most lines are: there is nothing in them to look into, or to cut. */
function isPlain(fields: Record<string, unknown>): boolean {
  for (const key in fields) {
    const value = fields[key]
    if (typeof value === 'string' ? value.length > SHORT : typeof value === 'object' || typeof value === 'function')
      return false
  }
  return true
}

const SHORT = 256

function whole(value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value) : value
}
