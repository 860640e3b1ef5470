import { parseDuration } from '../base/duration.ts'
import { makeControl, type Control, type HandlerContext, type HandlerLog } from '../handlers/handler.ts'
import type { Task } from './runner.ts'

export interface MadeContext {
  readonly context: HandlerContext
  /** The controls that were made through the context, in order. */
  readonly made: readonly Control[]
}

/** What a handler in JavaScript is given for one run. Whoever takes the context apart, or copies it, has all of it. */
export function makeContext(task: Task): MadeContext {
  const { env, envelope, services } = task
  const { attempt, deadline, hops, idempotencyKey, match } = envelope
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
  const own: Omit<HandlerContext, keyof typeof ACCESSORS> = {
    attempt,
    deadline: new Date(deadline),
    idempotencyKey,
    log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
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
  Object.defineProperty(own, TASK, { value: task })
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the accessors are what it lacks
  return { context: Object.defineProperties(own, ACCESSORS) as HandlerContext, made }
}

const TASK = Symbol('task')

interface OfTask {
  readonly [TASK]: Task
}

/**
 * What is dear to make is made when it is asked for. All contexts share these accessors: an object with accessors of its own has a
 * shape of its own, which the collector of young objects takes for alive, with all that it leads to.
 */
const ACCESSORS = {
  signal: shared(({ signals }) => signals.abort),
  draining: shared(({ signals }) => signals.draining),
  api: shared(({ services }) => services.api),
}

function shared(get: (task: Task) => unknown) {
  return {
    enumerable: true,
    get(this: OfTask) {
      return get(this[TASK])
    },
  }
}

function milliseconds(wait: unknown): number {
  const value = typeof wait === 'string' ? parseDuration(wait) : wait
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value
  throw new TypeError(
    `ctx.retryAfter: ${JSON.stringify(wait)} is not a duration; write 250ms, 30s, 5m, 1h, or milliseconds`,
  )
}
