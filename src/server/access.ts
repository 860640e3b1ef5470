import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { inAddress, isLoopbackName } from '../base/host-names.ts'
import type { Secret } from '../base/secret.ts'
import { jsonAnswer, type Answer } from './answer.ts'

const REFUSED = { 'www-authenticate': 'Bearer' }

/**
 * Who may ask for more than health and metrics. On loopback everybody on the machine, unless there is a token; on any other address nobody
 * without the token.
 */
export class Access {
  readonly #host: string
  readonly #token: Secret | undefined

  constructor({ host, token }: { readonly host: string; readonly token: Secret | undefined }) {
    this.#host = host
    this.#token = token
  }

  /** Undefined: whoever asks may. */
  refusalOf({ headers }: IncomingMessage): Answer | undefined {
    if (this.#token === undefined) {
      if (isLoopbackName(inAddress(this.#host))) return undefined
      const error = 'beyond loopback this needs a token, and the worker has none: set server.tokenFile'
      return jsonAnswer(401, { error }, REFUSED)
    }
    const given = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
    if (given === undefined) {
      const error = 'a request needs the header "Authorization: Bearer" with the token of server.tokenFile'
      return jsonAnswer(401, { error }, REFUSED)
    }
    if (isSame(given, this.#token.reveal())) return undefined
    return jsonAnswer(401, { error: 'this is not the token of server.tokenFile' }, REFUSED)
  }
}

/** Takes as long for any text. */
function isSame(given: string, token: string): boolean {
  const [one, other] = [given, token].map((text) => createHash('sha256').update(text).digest())
  return one !== undefined && other !== undefined && timingSafeEqual(one, other)
}
