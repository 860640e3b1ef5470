import { inspect } from 'node:util'
import type { Clock } from '../../base/clock.ts'
import { cutText, LONGEST } from '../../base/cut-text.ts'
import type { Clink } from '../../clink/records.ts'
import type { Config } from '../../config/config.ts'
import type { DeliveryFacts } from '../../events.ts'
import type { PlannedClink } from '../../handlers/policy.ts'
import type { Route } from '../../handlers/route.ts'
import type { WorkerKey } from '../../keys/keys.ts'
import type { Envelope, Task, TaskServices } from '../../runners/runner.ts'
import { hopsOf, readText } from '../replies/hops.ts'
import { sendReply } from '../replies/reply.ts'
import type { ExecutionContext } from './context.ts'
import { HandlerClient } from './handler-client.ts'

/** A clink in hand, as far as starts of its handler need it. */
export interface ClinkInHand {
  readonly clink: Clink
  /** What its handler does through `ctx` is done with it. */
  readonly key: WorkerKey
  /** Local time after which nothing is sent. */
  readonly deadline: number
  /** Whether it is still ours. Only answers, by the clock as it is now. */
  valid(): boolean
  /** Ends a claim that is past its deadline as lost, even where its timer is late. @returns whether something may be done with it. */
  check(): boolean
  /**
   * Journals that its handler is about to start.
   *
   * @param isAlone nothing runs beside it.
   * @returns the number of the start, from 1.
   */
  begin(isAlone: boolean): Promise<number>
}

/** What a runner is given for one start. @param counts whether something may be sent for it, when it is asked. */
export function taskOf(
  inHand: ClinkInHand,
  planned: PlannedClink,
  facts: Required<DeliveryFacts>,
  context: ExecutionContext,
  counts: () => boolean,
): Omit<Task, 'signals'> {
  const { clink, key } = inHand
  const { emit, settings, signals } = context
  const { mark, target } = planned.route
  let client: HandlerClient | undefined
  const services: TaskServices = {
    get api() {
      return (client ??= new HandlerClient(key.connection, { clink, mark }, context))
    },
    log: (level, message, fields) =>
      emit({
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
      return await sendReply(words, sending, { deadline: inHand.deadline }, key.api, context)
    },
    keepalive: () => {},
    mask: (value) => {
      for (const secret of secretsIn(value)) signals.masked.say(secret)
    },
  }
  return {
    target,
    envelope: envelopeOf(clink, planned, facts.attempt, { clock: context.clock, config: settings.current }),
    env: environmentOf(planned.route, key.key.reveal(), settings.current.clink.url),
    services,
  }
}

/** Each line of it: the log writes them apart. */
function secretsIn(value: string): readonly string[] {
  const lines = value.split('\n').map((line) => line.trim())
  const secrets = [value.trim(), ...lines].filter((text) => text.length >= SHORTEST_SECRET)
  if (secrets.length > 0) return secrets
  throw new Error(`mask: a secret has at least ${SHORTEST_SECRET} characters: a shorter text occurs everywhere`)
}

/** What a handler that starts now is told. */
export function envelopeOf(
  clink: Clink,
  { match, policy, route }: PlannedClink,
  attempt: number,
  { clock, config }: { readonly clock: Clock; readonly config: Config },
): Envelope {
  const { ending, text } = readText(clink.content, config.replies.mark)
  return {
    clink: { ...clink, content: text },
    attempt,
    hops: hopsOf(ending),
    deadline: clock.wall() + policy.timeout,
    idempotencyKey: clink.clink_id,
    match,
    with: route.with,
  }
}

export function environmentOf({ passKey }: Route, key: string, url: string): Record<string, string> {
  return passKey === true ? { CLINK_API_KEY: key, CLINK_API_URL: url } : {}
}

/** The log shows shorter texts: see `redact.ts`. */
const SHORTEST_SECRET = 8

/** Handlers need not be checked by a compiler: they log what they like. */
const INSPECTED = { depth: 1, customInspect: false, maxStringLength: LONGEST.error } as const
