import { parseDuration } from '../base/duration.ts'
import type { ClinkClient } from '../clink/client.ts'
import type { Clink } from '../clink/records.ts'
import { makeControl, type Control, type HandlerContext, type HandlerLog, type RouteMatch } from './handler.ts'

export interface ContextParts {
  readonly clink: Clink
  readonly signal: AbortSignal
  readonly draining: AbortSignal
  readonly attempt: number
  /** Wall time in milliseconds. */
  readonly deadline: number
  readonly hops: number
  /** Called at most once. */
  readonly api: () => ClinkClient
  readonly match: RouteMatch
  readonly with: Readonly<Record<string, unknown>>
  readonly env: Readonly<Record<string, string>>
  log(level: keyof HandlerLog, message: string, fields?: Readonly<Record<string, unknown>>): void
  reply(text: string, to: 'sender' | 'group'): Promise<string>
}

export interface MadeContext {
  readonly context: HandlerContext
  /** The controls that were made through the context, in order. */
  readonly made: readonly Control[]
}

/** What a handler is given for one run. */
export function makeContext(parts: ContextParts): MadeContext {
  const made: Control[] = []
  let client: ClinkClient | undefined
  const control = (values: Parameters<typeof makeControl>[0]): Control => {
    const value = makeControl(values)
    made.push(value)
    return value
  }
  const context: HandlerContext = {
    signal: parts.signal,
    draining: parts.draining,
    attempt: parts.attempt,
    deadline: new Date(parts.deadline),
    idempotencyKey: parts.clink.clink_id,
    log: {
      debug: (message, fields) => parts.log('debug', message, fields),
      info: (message, fields) => parts.log('info', message, fields),
      warn: (message, fields) => parts.log('warn', message, fields),
      error: (message, fields) => parts.log('error', message, fields),
    },
    get api() {
      return (client ??= parts.api())
    },
    hops: parts.hops,
    match: parts.match,
    with: parts.with,
    env: parts.env,
    reply: async (text, options) => await parts.reply(text, options?.to ?? 'sender'),
    release: (reason) => control(reason === undefined ? { kind: 'release' } : { kind: 'release', reason }),
    retryAfter: (wait, reason) => {
      const after = milliseconds(wait)
      return control(reason === undefined ? { kind: 'retry', after } : { kind: 'retry', after, reason })
    },
    reject: (reason) => control({ kind: 'reject', reason }),
  }
  return { context, made }
}

function milliseconds(wait: unknown): number {
  const value = typeof wait === 'string' ? parseDuration(wait) : wait
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value
  throw new TypeError(
    `ctx.retryAfter: ${JSON.stringify(wait)} is not a duration; write 250ms, 30s, 5m, 1h, or milliseconds`,
  )
}
