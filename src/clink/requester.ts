import { randomUUID } from 'node:crypto'
import type { Random } from '../base/backoff.ts'
import { CodedError } from '../base/coded-error.ts'
import { systemClock, type Clock } from '../base/clock.ts'
import { chooseProxy, proxyProblem, type ForwardProxy } from '../base/proxy.ts'
import type { Secret } from '../base/secret.ts'
import { AnswerReader } from './answer.ts'
import { baseUrl } from './base-url.ts'
import { Caller, type CallOptions, type RequestWatch } from './caller.ts'
import type { OperationName } from './contract.ts'
import { apiKey, sessionId } from './credentials.ts'
import type { Decode } from './decode.ts'
import { ClinkApiError } from './errors.ts'
import { GotTransport } from './got-transport.ts'
import type { WireCall } from './request.ts'
import type { Transport } from './transport.ts'
import { refusesKey } from './verdicts.ts'
import { packageVersion } from './version.ts'

/** A key that may become another one while its client lives. */
export interface KeySource {
  /** The key for the next request; its form was looked at. */
  readonly key: Secret
  /** The service takes this key no more (401): the one to ask with instead, at once. Undefined: there is none. */
  instead(refused: Secret, operation: OperationName): Secret | undefined
}

export interface ClientOptions {
  /** Begins with `sk_live_`; anything else is refused before any request, without being shown. */
  readonly key: string | Secret | KeySource
  /** Address of the service, with a path prefix or none. Default: `https://api.clink.voxos.ai`. */
  readonly url?: string | undefined
  /** Tells agents apart that use one key. Default: random, once per client. */
  readonly sessionId?: string | undefined
  /** Milliseconds for each try. Default: 30 000. */
  readonly timeout?: number | undefined
  /** Most tries of a call that may be repeated. Default: 4. */
  readonly attempts?: number | undefined
  /** Default: what `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say. Null: none. */
  readonly proxy?: ForwardProxy | null | undefined
  /** Stays the caller's to close. Default: one of the client's own. */
  readonly transport?: Transport | undefined
  readonly clock?: Clock | undefined
  readonly random?: Random | undefined
  /** Told of each request, for metrics. */
  readonly watch?: RequestWatch | undefined
}

const DEFAULT_URL = 'https://api.clink.voxos.ai'

/** Sends calls with the key of one client, and asks with another key where there is one and the first is refused. */
export class Requester {
  readonly sessionId: string
  readonly url: string
  readonly #keys: KeySource
  readonly #caller: Caller
  readonly #timeout: number
  readonly #attempts: number
  readonly #userAgent = `clink-worker/${packageVersion()}`
  #own: GotTransport | undefined
  /** Of the last key: the same object as long as the key is the same, so that a transport makes what it sends of it once. */
  #headers: { readonly key: Secret; readonly all: Readonly<Record<string, string>> } | undefined

  constructor(options: ClientOptions) {
    this.#keys = keySource(options.key)
    this.url = baseUrl(options.url ?? DEFAULT_URL)
    this.sessionId = sessionId(options.sessionId ?? randomUUID())
    this.#timeout = positive('timeout', options.timeout ?? 30_000)
    this.#attempts = positive('attempts', options.attempts ?? 4)
    const clock = options.clock ?? systemClock()
    const transport =
      options.transport ?? (this.#own = new GotTransport({ url: this.url, clock, proxy: this.#proxy(options.proxy) }))
    this.#caller = new Caller(transport, clock, options.random ?? Math.random, options.watch)
  }

  #proxy(given: ForwardProxy | null | undefined): ForwardProxy | undefined {
    if (given !== undefined) return given ?? undefined
    const choice = chooseProxy(this.url, process.env)
    if ('problem' in choice) throw new CodedError('USAGE', proxyProblem(choice))
    return choice.proxy
  }

  /** Ends the connections that are its own. */
  close(): void {
    this.#own?.close()
  }

  async ask<T>(call: WireCall, decode: Decode<T>, options: CallOptions = {}): Promise<T> {
    const { key } = this.#keys
    try {
      return await this.#askWith(key, call, decode, options)
    } catch (error) {
      // Whoever is refused like this was not listened to, so that asking again repeats nothing.
      const isRefused = error instanceof ClinkApiError && refusesKey(error)
      const { operation } = call
      const other = isRefused && operation !== 'health' ? this.#keys.instead(key, operation) : undefined
      if (other === undefined) throw error
      return await this.#askWith(other, call, decode, options)
    }
  }

  #askWith<T>(key: Secret, call: WireCall, decode: Decode<T>, options: CallOptions): Promise<T> {
    const reader = new AnswerReader(call, decode, (text) => text.replaceAll(key.reveal(), '[secret]'))
    const timeout = positive('timeout', options.timeout ?? this.#timeout)
    const attempts = positive('attempts', options.attempts ?? this.#attempts)
    const { deadline, isWanted, signal } = options
    return this.#caller.send(call, this.#headersOf(call, key), reader, {
      timeout,
      attempts,
      signal,
      deadline,
      isWanted,
    })
  }

  #headersOf({ operation }: WireCall, key: Secret): Readonly<Record<string, string>> {
    const general = { accept: 'application/json', 'user-agent': this.#userAgent }
    if (operation === 'health') return general
    if (this.#headers?.key !== key) {
      const authorization = `Bearer ${key.reveal()}`
      const own = { authorization, 'content-type': 'application/json', 'x-clink-session-id': this.sessionId }
      this.#headers = { key, all: { ...general, ...own } }
    }
    return this.#headers.all
  }
}

function keySource(key: ClientOptions['key']): KeySource {
  if (typeof key === 'object' && 'instead' in key) return key
  const only = apiKey(key)
  return { key: only, instead: () => undefined }
}

function positive(name: string, value: number): number {
  if (value > 0 && Number.isFinite(value)) return value
  throw new CodedError('USAGE', `${name} must be a number above 0: ${value}`)
}
