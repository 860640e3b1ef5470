import { makeControl, type Control, type HandlerContext, type HandlerLog } from '../handlers/handler.ts'
import { HandlerSteps, milliseconds, stepNow } from './handler-steps.ts'
import type { Task } from './runner.ts'

export interface MadeContext {
  readonly context: HandlerContext
  /** The controls that were made through the context, in order. */
  readonly made: readonly Control[]
  readonly run: Pick<HandlerRun, 'steps'>
}

/** What a handler in JavaScript is given for one run. Whoever takes the context apart, or copies it, has all of it. */
export function makeContext(task: Omit<Task, 'target'>): MadeContext {
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
    reply: async (text, options) => await services.reply(text, options?.to ?? 'sender', stepNow()),
    keepalive: () => services.keepalive(),
    release: (reason) => control(reason === undefined ? { kind: 'release' } : { kind: 'release', reason }),
    retryAfter: (wait, reason) => {
      const after = milliseconds('retryAfter', wait)
      return control(reason === undefined ? { kind: 'retry', after } : { kind: 'retry', after, reason })
    },
    reject: (reason) => control({ kind: 'reject', reason }),
  }
  const run: HandlerRun = { task }
  Object.defineProperty(own, RUN, { value: run })
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the accessors are what it lacks
  return { context: Object.defineProperties(own, ACCESSORS) as HandlerContext, made, run }
}

/** A run that has a context. */
interface HandlerRun {
  readonly task: Omit<Task, 'target'>
  /** Once it was asked for one. */
  steps?: HandlerSteps
}

const RUN = Symbol('run')

interface OfRun {
  readonly [RUN]: HandlerRun
}

/**
 * What is dear to make is made when it is asked for. All contexts share these accessors: an object with accessors of its own has a
 * shape of its own, which the collector of young objects takes for alive, with all that it leads to.
 */
const ACCESSORS = {
  signal: shared(({ task }) => task.signals.abort),
  draining: shared(({ task }) => task.signals.draining),
  api: shared(({ task }) => task.services.api),
  step: shared((run) => stepsOf(run).step),
  sleep: shared((run) => stepsOf(run).sleep),
}

function shared(get: (run: HandlerRun) => unknown) {
  return {
    enumerable: true,
    get(this: OfRun) {
      return get(this[RUN])
    },
  }
}

function stepsOf(run: HandlerRun): HandlerSteps {
  return (run.steps ??= new HandlerSteps(run.task.services))
}
