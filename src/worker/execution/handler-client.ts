import { CodedError } from '../../base/coded-error.ts'
import { ClinkClient, type CallOptions, type ClientOptions, type ParamsOf, type ResultOf } from '../../clink/client.ts'
import type { OperationName } from '../../clink/contract.ts'
import type { Sent } from '../replies/reply.ts'

type Params = Readonly<Record<string, unknown>>

/** What a handler's client leaves to the worker. */
export interface HandlerClientOptions extends ClientOptions {
  /** A text that is about to be sent. @param to whose it will be; undefined: the group's, or nobody knows whose. */
  readonly sign: (text: string, to: string | undefined) => string
  /** Told what was sent, before the handler is. */
  readonly sent: (sent: Sent) => Promise<void>
  /** Whom the answer to this clink goes to, where that is known. */
  readonly senderOf: (clinkId: unknown) => string | undefined
}

/**
 * The whole API as a handler gets it in `ctx.api`: the worker's key and session. It refuses calls that claim, and what it sends is signed
 * and known as ours.
 */
export class HandlerClient extends ClinkClient {
  readonly #options: HandlerClientOptions

  constructor(options: HandlerClientOptions) {
    super(options)
    this.#options = options
  }

  /** @throws {CodedError} USAGE for calls that claim: a claim with the worker's own session would pass for the worker's. */
  override async call<N extends OperationName>(
    operation: N,
    params: ParamsOf<N>,
    options?: CallOptions,
  ): Promise<ResultOf<N>> {
    const given: Params = { ...params }
    const claiming = claimingCall(operation, given)
    if (claiming !== undefined) throw new CodedError('USAGE', `ctx.api.${claiming} is refused: ${ADVICE}`)
    const sending = SENDING[operation]
    if (sending === undefined) return await super.call(operation, params, options)
    const to = sending.to(given, this.#options)
    const text = given[sending.text]
    const signed = typeof text === 'string' ? { ...params, [sending.text]: this.#options.sign(text, to) } : params
    const result = await super.call(operation, signed, options)
    const { [sending.id]: id, created_at, sender_id }: Params = { ...Object(result) }
    if (typeof id === 'string') await this.#options.sent({ id, to, at: textOf(created_at), from: textOf(sender_id) })
    return result
  }
}

/** Calls that send a clink: where its text is, where the answer names it, and whose it is. */
const SENDING: {
  readonly [N in OperationName]?: {
    readonly text: string
    readonly id: string
    readonly to: (params: Params, options: HandlerClientOptions) => string | undefined
  }
} = {
  send_clink: { text: 'content', id: 'clink_id', to: (params) => textOf(params['for']) },
  complete_clink: {
    text: 'response',
    id: 'response_clink_id',
    to: (params, { senderOf }) => senderOf(params['clink_id']),
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
