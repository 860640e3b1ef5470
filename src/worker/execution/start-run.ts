import { inspect } from 'node:util'
import type { Clock } from '../../base/clock.ts'
import { cutText, LONGEST } from '../../base/cut-text.ts'
import { errorOf } from '../../base/error-fact.ts'
import type { Clink } from '../../clink/records.ts'
import type { Config } from '../../config/config.ts'
import type { DeliveryFacts } from '../../events.ts'
import type { Route, RoutedClink } from '../../handlers/route.ts'
import type { WorkerKey } from '../../keys/keys.ts'
import type { Envelope, TaskServices } from '../../runners/runner.ts'
import type { Outcome } from '../../runners/outcome.ts'
import type { OutcomePolicy } from './outcome.ts'
import { HandlerClient } from './handler-client.ts'
import { hopsOf, readText } from '../replies/hops.ts'
import { sendReply } from '../replies/reply.ts'
import type { RunVerdict } from '../capacity/circuit-breaker.ts'
import { Run } from './run.ts'
import type { ExecutionContext } from './context.ts'

export interface HandlerRunOptions {
  readonly clink: Clink
  readonly routed: RoutedClink
  readonly attempt: number
  /** What the handler does through `ctx` is done with it. */
  readonly key: WorkerKey
  readonly context: ExecutionContext
  /** What is said of the run in events. */
  readonly facts: DeliveryFacts
  /** Whether the run is still the one that counts: otherwise nothing is sent for it any more. */
  readonly isCurrent: (run: Run) => boolean
  /** Local time after which no reply is sent. */
  readonly replyBy: () => number
}

/** A run of a handler on a clink, whether a claim on it is held or not. */
export function makeRun(options: HandlerRunOptions): Run {
  const { attempt, clink, context, facts, key, routed } = options
  const { clock, config, emit, runner } = context
  const { route } = routed
  const run: Run = new Run({
    task: {
      target: route.target,
      envelope: envelopeOf(clink, routed, attempt, context),
      env: environmentOf(route, key.key.reveal(), config.clink.url),
      services: servicesOf(options, () => options.isCurrent(run)),
    },
    runner,
    clock,
    emit,
    facts,
    timeout: route.timeout,
    grace: config.handlers.grace,
  })
  return run
}

/** What a handler that starts now is told. */
export function envelopeOf(
  clink: Clink,
  { match, route }: RoutedClink,
  attempt: number,
  { clock, config }: { readonly clock: Clock; readonly config: Config },
): Envelope {
  const { ending, text } = readText(clink.content, config.replies.mark)
  return {
    clink: { ...clink, content: text },
    attempt,
    hops: hopsOf(ending),
    deadline: clock.wall() + route.timeout,
    idempotencyKey: clink.clink_id,
    match,
    with: route.with,
  }
}

export function environmentOf({ passKey }: Route, key: string, url: string): Record<string, string> {
  return passKey === true ? { CLINK_API_KEY: key, CLINK_API_URL: url } : {}
}

function servicesOf(options: HandlerRunOptions, counts: () => boolean): TaskServices {
  const { clink, context, facts, key, replyBy, routed } = options
  const { mark } = routed.route
  let client: HandlerClient | undefined
  return {
    get api() {
      return (client ??= new HandlerClient(key.connection, { clink, mark }, context))
    },
    log: (level, message, fields) =>
      context.emit({
        event: 'clink.log',
        ...facts,
        level,
        message: cutText(typeof message === 'string' ? message : inspect(message, INSPECTED), LONGEST.error),
        ...(fields === undefined ? {} : { fields }),
      }),
    reply: async (words, to) => {
      if (!counts()) throw new Error('ctx.reply: this run is over, nothing is sent for it any more')
      if (typeof words !== 'string')
        throw new TypeError(`ctx.reply: what is to be sent is ${typeof words}, and no text`)
      const sending = { clink, to: to === 'group' ? undefined : clink.sender_id, is: 'note', mark } as const
      return await sendReply(words, sending, { deadline: replyBy() }, key.api, context)
    },
  }
}

/**
 * After the abort of a stop, an error or an empty return says that the handler broke off; only a response says that it
 * finished. To take an empty return for an ending would complete work that was not done.
 */
export function wasCutShort(run: Run | undefined, outcome: Outcome): boolean {
  if (run?.abortedBy !== 'shutdown') return false
  if (outcome.outcome === 'done') return outcome.response === undefined
  return outcome.outcome === 'failed' || outcome.outcome === 'unavailable'
}

/** What the end of a run says about its route: nothing, where it was aborted for another reason than its timeout. */
export function verdictOnRoute(run: Run, outcome: Outcome): RunVerdict {
  if (run.abortedBy !== undefined && run.abortedBy !== 'timeout') return 'nothing'
  if (outcome.outcome === 'failed') return errorOf(outcome.error)
  if (outcome.outcome === 'unavailable') return outcome
  return outcome.outcome === 'done' ? 'done' : 'other'
}

/** How failures on a route are retried. */
export function outcomePolicy(route: Route, { config: { claim, retry } }: ExecutionContext): OutcomePolicy {
  return { retry: { ...retry, ...route.retry }, maxHold: claim.maxHold }
}

/** Milliseconds until a start that could not be journalled is tried again. */
export const UNHEALTHY_WAIT = 1_000

/** Handlers need not be checked by a compiler: they log what they like. */
const INSPECTED = { depth: 1, customInspect: false, maxStringLength: LONGEST.error } as const
