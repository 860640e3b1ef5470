import { CodedError } from '../../base/coded-error.ts'
import { ClinkClient, type CallOptions, type ClientOptions, type ParamsOf, type ResultOf } from '../../clink/client.ts'
import type { OperationName } from '../../clink/contract.ts'
import type { Clink } from '../../clink/records.ts'
import type { ReplyContext } from '../replies/context.ts'
import { noteSent } from '../replies/reply.ts'
import { sign, type Sending } from '../replies/sign.ts'
import { fitText } from '../replies/text.ts'
import type { SignsOfLife } from './signs-of-life.ts'

type Params = Readonly<Record<string, unknown>>

/** The clink in hand, and its route's mark. */
export type InHand = Pick<Sending, 'clink' | 'mark'>

/**
 * The whole API as a handler gets it in `ctx.api`: the worker's key and session. It refuses calls that claim, and what it sends is signed
 * and known as ours.
 */
export class HandlerClient extends ClinkClient {
  readonly #inHand: InHand
  readonly #context: ReplyContext
  readonly #signs: SignsOfLife

  constructor(connection: ClientOptions, inHand: InHand, context: ReplyContext, signs: SignsOfLife) {
    super(connection)
    this.#inHand = inHand
    this.#context = context
    this.#signs = signs
  }

  /** @throws {CodedError} USAGE for calls that claim: a claim with the worker's own session would pass for the worker's. */
  override async call<N extends OperationName>(
    operation: N,
    params: ParamsOf<N>,
    options?: CallOptions,
  ): Promise<ResultOf<N>> {
    this.#signs.show()
    const given: Params = { ...params }
    const claiming = claimingCall(operation, given)
    if (claiming !== undefined) throw new CodedError('USAGE', `ctx.api.${claiming} is refused: ${ADVICE}`)
    const sending = SENDING[operation]
    if (sending === undefined) return await super.call(operation, params, options)
    const to = sending.to(given, this.#inHand.clink)
    const text = given[sending.text]
    const signed = typeof text === 'string' ? { ...params, [sending.text]: this.#signed(text, to) } : params
    const result = await super.call(operation, signed, options)
    const { [sending.id]: id, created_at, sender_id }: Params = { ...Object(result) }
    // Before the handler hears of it.
    if (typeof id === 'string')
      await noteSent({ id, to, at: textOf(created_at), from: textOf(sender_id) }, this.#context)
    return result
  }

  /** @param to whose it will be; undefined: the group's, or nobody knows whose. */
  #signed(text: string, to: string | undefined): string {
    const signed = sign(text, { ...this.#inHand, to, is: 'answer' }, this.#context)
    return signed.line === undefined && signed.text === text ? text : fitText(signed.text, signed.line).text
  }
}

/** Calls that send a clink: where its text is, where the answer names it, and whose it is. */
const SENDING: {
  readonly [N in OperationName]?: {
    readonly text: string
    readonly id: string
    readonly to: (params: Params, inHand: Clink) => string | undefined
  }
} = {
  send_clink: { text: 'content', id: 'clink_id', to: (params) => textOf(params['for']) },
  complete_clink: {
    text: 'response',
    id: 'response_clink_id',
    // Of others it is not known.
    to: (params, inHand) => (params['clink_id'] === inHand.clink_id ? inHand.sender_id : undefined),
  },
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** The call as its author wrote it, where it claims. */
function claimingCall(operation: OperationName, params: Params): string | undefined {
  if (operation === 'claim_clink') return 'claimClink (claim_clink)'
  const claims = operation === 'check_inbox' && (params['claim'] ?? false) !== false
  return claims ? 'checkInbox (check_inbox) with claim' : undefined
}

const ADVICE =
  'claiming is the worker\'s. A handler that claims for itself does so by a client of its own, with its own session: new ClinkClient({ key, sessionId }) from "clink-worker"'
