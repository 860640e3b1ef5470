import { createHash } from 'node:crypto'
import type { ClientOptions, KeySource } from '../clink/client.ts'
import { apiKey } from '../clink/credentials.ts'
import type { OperationName } from '../clink/contract.ts'
import type { Secret } from '../base/secret.ts'
import type { Signal } from '../base/signal.ts'
import type { Emit } from '../events.ts'
import type { ClinkApi } from '../clink/clink-api.ts'
import type { Identity } from './identity.ts'

interface KeyClients {
  readonly api: ClinkApi
  /** For clients of handlers: the same session. */
  readonly connection: ClientOptions
}

const FINGERPRINT = 8
/** In the place of the last key that was proven to be ours, where that one was not: what is given next has to be proven. */
const NONE = ''

/** Why no claims are made. */
export interface Refusal {
  readonly reason: string
  readonly advice: string
}

export interface KeysOptions {
  readonly first: Secret
  readonly makeClients: (source: KeySource) => KeyClients
  readonly identity: Identity
  readonly emit: Emit
  /** The key that an earlier process knew to be ours, as `proved` got it; undefined: it knew none. */
  readonly known: string | undefined
  /** Called with each key that turns out to be ours: who we are, and its fingerprint. */
  readonly proved: (known: string) => void
  /** Said when another key is current: it may be able to do what the one before could not. */
  readonly changed: Signal
  /** Said when a key turns out to be somebody else's. */
  readonly estranged: Signal
  /** Said when the only key is somebody else's: the worker claims nothing any more. */
  readonly refused: Signal
}

/**
 * One API key and the clients that ask with it. They go on with the current key once the service does not take this one any
 * more: the session is the same, so where the service lets keys of one owner stand in for each other, a claim is still ours.
 */
export class WorkerKey implements KeySource, KeyClients {
  readonly secret: Secret
  readonly api: ClinkApi
  readonly connection: ClientOptions
  /** It is ours, as far as that can be known. */
  isProven = false
  /** That rests on nothing but that no claim has told whose it is: the first that does counts. */
  isPresumed = false
  /** Who it belongs to, where that is somebody else. */
  stranger: string | undefined
  /** Whom a list has shown as the owner of what it has just claimed. */
  suspect: string | undefined
  readonly #keys: Keys
  /** Made once: each note of a claim in the journal carries it. */
  readonly #fingerprint: string
  #isSpent = false

  constructor(secret: Secret, keys: Keys, makeClients: KeysOptions['makeClients']) {
    this.secret = secret
    this.#keys = keys
    this.#fingerprint = createHash('sha256').update(secret.reveal()).digest('hex').slice(0, FINGERPRINT)
    const { api, connection } = makeClients(this)
    this.api = api
    this.connection = connection
  }

  /** Tells keys apart in the journal. Far too short to find the key by. */
  get fingerprint(): string {
    return this.#inUse.#fingerprint
  }

  get key(): Secret {
    return this.#inUse.secret
  }

  get #inUse(): WorkerKey {
    return (this.#isSpent ? this.#keys.standIn : undefined) ?? this
  }

  /**
   * While there is no other key, a refusal may pass, so it is remembered only when there is one. A key that may be
   * somebody else's is used only for requests that the service refuses to strangers. It sends nothing in another
   * owner's name.
   */
  instead(refused: Secret, operation: OperationName): Secret | undefined {
    const { isProven, secret } = this.#keys.current
    if (secret.reveal() === refused.reveal()) return undefined
    if (!isProven && !ABOUT_A_CLAIM.has(operation)) return undefined
    this.#isSpent = true
    return secret
  }
}

/**
 * Which API key is used for new claims. A key that is not proven to be ours when it becomes current is on trial: its first claim
 * tells whose it is, and if it is somebody else's the key before it is current again.
 */
export class Keys {
  readonly #options: KeysOptions
  #current: WorkerKey
  /** What to go back to if the current key turns out to be another owner's. */
  #before: WorkerKey | undefined
  #refusal: Refusal | undefined
  /** Why the key that was offered last is not in use, for people; undefined: it is, or none was. */
  unused: string | undefined
  /** Some claim has named its owner: those that do not are odd ones. */
  #ownersAreTold = false
  /** The last key that was proven to be ours, by an earlier process perhaps. */
  #known: string | undefined

  /** @throws {CodedError} KEY_MALFORMED for a first key that is none. */
  constructor(options: KeysOptions) {
    this.#options = options
    this.#known = options.known
    this.#current = this.#make(apiKey(options.first))
  }

  get current(): WorkerKey {
    return this.#current
  }

  /** What goes on for a key that the service does not take any more: the current one, or, while that is on trial, the one before. */
  get standIn(): WorkerKey | undefined {
    if (this.#current.isProven) return this.#current
    return this.#before?.isProven === true ? this.#before : undefined
  }

  /** Whichever key is current. */
  get live(): KeySource {
    const current = (): Secret => this.#current.secret
    return {
      get key() {
        return current()
      },
      instead: () => undefined,
    }
  }

  /** Why nothing may be claimed; undefined: it may. */
  get refusal(): Refusal | undefined {
    return this.#refusal
  }

  /** Whether the current key says something about who we are. */
  get isTelling(): boolean {
    return this.#current.isProven || this.#options.identity.id === undefined
  }

  /**
   * Whether the worker may do what no claim proves to be its own to do. It may not with a key that may be somebody
   * else's.
   */
  get mayAct(): boolean {
    if (this.#refusal !== undefined) return false
    return this.#current.isProven || (this.#before === undefined && this.#known === undefined)
  }

  /** The current key may work again: what the service refused is worth a try. */
  again(): void {
    this.#options.changed.say()
  }

  /** The key for new claims from now on. */
  adopt(secret: Secret, isProven: boolean): void {
    const last = this.#current
    const back = last.isProven || this.#before === undefined ? last : this.#before
    const isBack = back.stranger === undefined && back.secret.reveal() === secret.reveal()
    this.#current = isBack ? back : this.#make(secret)
    this.#before = back
    const verified = isProven || this.#current.isProven
    if (verified) this.trust(this.#current)
    this.#refusal = undefined
    this.unused = undefined
    this.#options.emit({ event: 'key.changed', verified })
    this.#options.changed.say()
  }

  /**
   * Takes in whom a claim that `key` has just made names as its owner.
   *
   * @returns false when that is somebody else: the key is not used for claims any more, and nothing that it claimed may be run.
   */
  accept(key: WorkerKey, owner: string | null | undefined): boolean {
    const { identity } = this.#options
    this.#ownersAreTold ||= typeof owner === 'string'
    // What one claim of the key has shown holds for claims that show nothing.
    if (key.stranger !== undefined || (key.suspect !== undefined && typeof owner !== 'string')) return false
    if (!identity.isSomebodyElse(owner)) {
      if (identity.id === undefined) identity.learn(owner, 'a claim')
      else identity.named(owner)
      // Where nobody says who we are, a key that claims is as good as any: what it has claimed is run as well.
      if (identity.isUs(owner)) key.isPresumed = false
      if (identity.id === undefined || identity.isUs(owner)) this.trust(key)
      return true
    }
    const isDoubtful = key.isProven && !key.isPresumed && identity.isTentative
    if (isDoubtful) identity.named(owner)
    else this.#refuse(key, owner ?? '')
    return false
  }

  /**
   * Takes in whom a list shows as the owner of what `key` has just claimed. Where that is somebody else he may have taken it since: he counts as the owner
   * of the key when a list shows him for its next claim as well.
   *
   * @returns false: nobody can tell yet whose the key is.
   */
  shown(key: WorkerKey, owner: string): boolean {
    const isFirst = this.#options.identity.isSomebodyElse(owner) && owner !== key.suspect
    if (isFirst) key.suspect = owner
    this.#ownersAreTold = true
    return !isFirst
  }

  #refuse(key: WorkerKey, owner: string): void {
    const { emit, estranged, identity, refused } = this.#options
    const reason = `the key belongs to ${owner}, and this worker is ${identity.id ?? 'somebody else'}`
    const advice = STRANGER_ADVICE
    key.stranger = owner
    key.isProven = false
    if (this.#nameOf(key) === this.#known) this.#know(NONE)
    estranged.say()
    if (key !== this.#current) return
    // The one before may be this one, or found out by a poll of its own that was on its way.
    const before = this.#before?.stranger === undefined ? this.#before : undefined
    this.#before = undefined
    if (before !== undefined) this.unused = reason
    emit({ event: 'key.refused', reason, advice, goesOn: before !== undefined })
    if (before === undefined) {
      this.#refusal = { reason, advice }
      refused.say()
    } else {
      this.#current = before
      this.#options.changed.say()
    }
  }

  /** A claim does not say whose it is, however it is asked. Where no other has said so either, nothing more can be found out about the key. */
  untold(key: WorkerKey): void {
    if (this.#ownersAreTold) return
    key.isPresumed = !key.isProven
    this.trust(key)
  }

  /** The key is ours, or the service does not say whose its claims are. */
  trust(key: WorkerKey): void {
    if (key.stranger !== undefined) return
    key.isProven = true
    key.suspect = undefined
    this.#know(this.#nameOf(key))
    if (key === this.#current && !key.isPresumed) this.#before = undefined
  }

  #know(known: string): void {
    if (known !== this.#known) this.#options.proved(known)
    this.#known = known
  }

  #nameOf({ fingerprint }: WorkerKey): string {
    return `${this.#options.identity.id ?? ''} ${fingerprint}`
  }

  #make(secret: Secret): WorkerKey {
    const key = new WorkerKey(secret, this, this.#options.makeClients)
    key.isProven = this.#nameOf(key) === this.#known
    return key
  }
}

/** Requests about a claim: the service carries them out for the owner of the claim only. */
const ABOUT_A_CLAIM: ReadonlySet<OperationName> = new Set([
  'claim_clink',
  'complete_clink',
  'release_clink',
  'get_clinks',
])

const STRANGER_ADVICE =
  'give this worker a key of the same owner; another owner needs a state directory of its own, or to be named in clink.identity'
