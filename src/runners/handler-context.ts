import { parseDuration } from '../base/duration.ts'
import { makeControl, type Control, type HandlerContext, type HandlerLog } from '../handlers/handler.ts'
import type { Task } from './runner.ts'

export interface MadeContext {
  readonly context: HandlerContext
  /** The controls that were made through the context, in order. */
  readonly made: readonly Control[]
}

/** What a handler in JavaScript is given for one run. */
export function makeContext({ env, envelope, services, signals }: Task): MadeContext {
  const made: Control[] = []
  const control = (values: Parameters<typeof makeControl>[0]): Control => {
    const value = makeControl(values)
    made.push(value)
    return value
  }
  const log =
    (level: keyof HandlerLog): HandlerLog[keyof HandlerLog] =>
    (message, fields) =>
      services.log(level, message, fields)
  const { attempt, deadline, hops, idempotencyKey, match } = envelope
  const context: HandlerContext = {
    get signal() {
      return signals.abort
    },
    get draining() {
      return signals.draining
    },
    attempt,
    deadline: new Date(deadline),
    idempotencyKey,
    log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    get api() {
      return services.api
    },
    hops,
    match,
    with: envelope.with,
    env,
    reply: async (text, options) => await services.reply(text, options?.to ?? 'sender'),
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
