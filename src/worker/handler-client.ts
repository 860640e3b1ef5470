import { CodedError } from '../base/coded-error.ts'
import { ClinkClient, type CallOptions, type ClientOptions, type ParamsOf, type ResultOf } from '../clink/client.ts'
import type { OperationName } from '../clink/contract.ts'
import type { WorkerContext } from './context.ts'

type Memory = Pick<WorkerContext, 'clock' | 'identity' | 'ledger'>

/** The whole API as a handler gets it in `ctx.api`: the worker's key and session, but for calls that claim. */
export class HandlerClient extends ClinkClient {
  readonly #memory: Memory

  constructor(options: ClientOptions, memory: Memory) {
    super(options)
    this.#memory = memory
  }

  /** @throws {CodedError} USAGE for calls that claim: a claim with the worker's own session would pass for the worker's. */
  override async call<N extends OperationName>(
    operation: N,
    params: ParamsOf<N>,
    options?: CallOptions,
  ): Promise<ResultOf<N>> {
    const claiming = claimingCall(operation, { ...params })
    if (claiming !== undefined) throw new CodedError('USAGE', `ctx.api.${claiming} is refused: ${ADVICE}`)
    const result = await super.call(operation, params, options)
    this.#noteSent(operation, result)
    return result
  }

  /** What a handler sends is not our work either. */
  #noteSent(operation: OperationName, result: object | string): void {
    const { clock, identity, ledger } = this.#memory
    if (operation === 'send_clink' && 'sender_id' in Object(result))
      identity.learn(Reflect.get(Object(result), 'sender_id'), 'a clink that a handler sent')
    const name = SENT_ID[operation]
    const id: unknown = name === undefined ? undefined : Reflect.get(Object(result), name)
    if (typeof id === 'string') void ledger.addOwn(id, clock.wall())
  }
}

/** Where the answer to a call that sends names the new clink. */
const SENT_ID: { readonly [N in OperationName]?: string } = {
  send_clink: 'clink_id',
  complete_clink: 'response_clink_id',
}

/** The call as its author wrote it, where it claims. */
function claimingCall(operation: OperationName, params: Readonly<Record<string, unknown>>): string | undefined {
  if (operation === 'claim_clink') return 'claimClink (claim_clink)'
  const claims = operation === 'check_inbox' && (params['claim'] ?? false) !== false
  return claims ? 'checkInbox (check_inbox) with claim' : undefined
}

const ADVICE =
  'claiming is the worker\'s. A handler that claims for itself does so by a client of its own, with its own session: new ClinkClient({ key, sessionId }) from "clink-worker"'
