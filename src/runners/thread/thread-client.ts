import { isRecord } from '../../base/record.ts'
import { TransportError } from '../../clink/transport.ts'
import { ClinkClient, type CallOptions, type ParamsOf, type ResultOf } from '../../clink/client.ts'
import type { OperationName } from '../../clink/contract.ts'
import type { ThreadData } from './messages.ts'
import type { Port } from './port.ts'

/** Has the form of a key. It is none. */
const NO_KEY = 'sk_live_of_the_worker'
const NO_TRANSPORT = {
  send: async () => await Promise.reject(new TransportError('refused', 'no', 'a thread sends nothing itself')),
}

/** `ctx.api` in a thread: the worker's client does what is called here, so that the key does not come into the thread. */
export class ThreadClient extends ClinkClient {
  readonly #port: Port
  readonly #run: number

  constructor(port: Port, run: number, service: ThreadData['service']) {
    super({ ...service, key: NO_KEY, transport: NO_TRANSPORT })
    this.#port = port
    this.#run = run
  }

  override async call<N extends OperationName>(
    operation: N,
    params: ParamsOf<N>,
    options: CallOptions = {},
  ): Promise<ResultOf<N>> {
    const { signal, ...limits } = options
    const result = await this.#port.call(this.#run, operation, [params, limits], signal)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it comes from the worker's client, which has these types
    return result as ResultOf<N>
  }

  override async health({ signal, ...limits }: CallOptions = {}): Promise<Readonly<Record<string, unknown>>> {
    const answer = await this.#port.call(this.#run, 'health', [limits], signal)
    return isRecord(answer) ? answer : {}
  }
}
