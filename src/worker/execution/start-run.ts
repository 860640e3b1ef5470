import { inspect } from 'node:util'
import { cutText, LONGEST } from '../../base/cut-text.ts'
import type { Clink } from '../../clink/records.ts'
import type { DeliveryFacts } from '../../events.ts'
import type { Route, RoutedClink } from '../../handlers/route.ts'
import type { WorkerKey } from '../../keys/keys.ts'
import type { HandlerOutcome, OutcomePolicy } from './outcome.ts'
import { HandlerClient } from './handler-client.ts'
import { hopsOf, readText } from '../replies/hops.ts'
import { noteSent, sendReply } from '../replies/reply.ts'
import { fitText } from '../replies/text.ts'
import type { RunVerdict } from '../capacity/circuit-breaker.ts'
import { sign } from '../replies/sign.ts'
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
  readonly facts: () => DeliveryFacts
  /** Whether the run is still the one that counts: otherwise nothing is sent for it any more. */
  readonly isCurrent: (run: Run) => boolean
  /** Local time after which no reply is sent. */
  readonly replyBy: () => number
}

/** Starts a handler on a clink, whether a claim on it is held or not. */
export function startHandler(options: HandlerRunOptions): Run {
  const { attempt, clink, context, facts, isCurrent, key, replyBy, routed } = options
  const { clock, config, emit, runner } = context
  const { mark } = routed.route
  const { ending, text } = readText(clink.content, config.replies.mark)
  const run = new Run({
    routed,
    parts: {
      clink: { ...clink, content: text },
      attempt,
      hops: hopsOf(ending),
      api: () => handlerClient(options),
      env: environmentOf(routed.route, key, config.clink.url),
      log: (level, message, fields) =>
        emit({
          event: 'clink.log',
          ...facts(),
          level,
          message: cutText(typeof message === 'string' ? message : inspect(message, INSPECTED), LONGEST.error),
          ...(fields === undefined ? {} : { fields }),
        }),
      reply: async (words, to) => {
        if (!isCurrent(run)) throw new Error('ctx.reply: this run is over, nothing is sent for it any more')
        if (typeof words !== 'string')
          throw new TypeError(`ctx.reply: what is to be sent is ${typeof words}, and no text`)
        const sending = { clink, to: to === 'group' ? undefined : clink.sender_id, is: 'note', mark } as const
        return await sendReply(words, sending, { deadline: replyBy() }, key.api, context)
      },
    },
    runner,
    clock,
    grace: config.handlers.grace,
    onStuck: (since) => emit({ event: 'clink.stuck', ...facts(), since, advice: STUCK_ADVICE }),
    onUnstuck: (after) => emit({ event: 'clink.unstuck', ...facts(), after }),
  })
  return run
}

function environmentOf({ passKey }: Route, { key }: WorkerKey, url: string): Record<string, string> {
  return passKey === true ? { CLINK_API_KEY: key.reveal(), CLINK_API_URL: url } : {}
}

/** What goes out by it is signed and noted like all that is sent for the clink. */
function handlerClient({ clink, context, key, routed }: HandlerRunOptions): HandlerClient {
  const { mark } = routed.route
  return new HandlerClient({
    ...key.connection,
    senderOf: (clinkId) => (clinkId === clink.clink_id ? clink.sender_id : undefined),
    sent: async (sent) => await noteSent(sent, context),
    sign: (text, to) => {
      const signed = sign(text, { clink, to, is: 'answer', mark }, context)
      return signed.line === undefined && signed.text === text ? text : fitText(signed.text, signed.line).text
    },
  })
}

/**
 * After the abort of a stop, an error or an empty return says that the handler broke off; only a response says that it
 * finished. To take an empty return for an ending would complete work that was not done.
 */
export function wasCutShort(run: Run | undefined, outcome: HandlerOutcome): boolean {
  if (run?.abortedBy !== 'shutdown') return false
  return outcome.outcome === 'failed' || (outcome.outcome === 'done' && outcome.response === undefined)
}

/** What the end of a run says about its route: nothing, where it was aborted for another reason than its timeout. */
export function verdictOnRoute(run: Run, outcome: HandlerOutcome): RunVerdict {
  if (run.abortedBy !== undefined && run.abortedBy !== 'timeout') return 'nothing'
  if (outcome.outcome === 'failed') return outcome.error
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

const STUCK_ADVICE =
  'the handler ignores ctx.signal and keeps its slot: pass the signal to what it waits for, or end its loops when it aborts'
