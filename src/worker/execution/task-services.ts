import { inspect } from 'node:util'
import { cutText, LONGEST } from '../../base/cut-text.ts'
import type { Clink } from '../../clink/records.ts'
import type { DeliveryFacts } from '../../events.ts'
import type { Route } from '../../handlers/route.ts'
import type { WorkerKey } from '../../keys/keys.ts'
import type { TaskServices } from '../../runners/runner.ts'
import { sendReply } from '../replies/reply.ts'
import type { ExecutionContext } from './context.ts'
import { HandlerClient } from './handler-client.ts'

/** The clink for which something is done. */
export interface Served {
  readonly clink: Clink
  /** What its handler does through `ctx` is done with it. */
  readonly key: WorkerKey
  /** Local time after which nothing is sent. */
  readonly deadline: number
}

/** Handlers need not be checked by a compiler: they log what they like. */
const INSPECTED = { depth: 1, customInspect: false, maxStringLength: LONGEST.error } as const
/** The log shows shorter texts: see `redact.ts`. */
const SHORTEST_SECRET = 8

/** What a run may have done for it. @param counts whether something may be sent for it, when it is asked. */
export function servicesOf(
  inHand: Served,
  { mark }: Route,
  facts: Required<DeliveryFacts>,
  context: ExecutionContext,
  counts: () => boolean,
): TaskServices {
  const { clink, key } = inHand
  const { emit, signals } = context
  let client: HandlerClient | undefined
  return {
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
}

/** Each line of it as well: the log may show one of them. */
function secretsIn(value: string): readonly string[] {
  const lines = value.split('\n').map((line) => line.trim())
  const secrets = [value.trim(), ...lines].filter((text) => text.length >= SHORTEST_SECRET)
  if (secrets.length > 0) return secrets
  throw new Error(`mask: a secret has at least ${SHORTEST_SECRET} characters: a shorter text occurs everywhere`)
}
