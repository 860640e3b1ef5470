import { equalJitter, fullJitter, type Random } from '../base/backoff.ts'
import { after, steadyOf, sleep, type Clock } from '../base/clock.ts'
import { asError } from '../base/coded-error.ts'
import type { Secret } from '../base/secret.ts'
import type { Signal } from '../base/signal.ts'
import { BareRefusals } from '../clink/bare-refusals.ts'
import { apiKey } from '../clink/credentials.ts'
import type { Emit } from '../events.ts'
import type { ClinkApi } from '../clink/clink-api.ts'
import type { Identity } from './identity.ts'
import { checkKey } from './key-check.ts'
import type { Keys } from './keys.ts'

export interface KeyChangeOptions {
  readonly keys: Keys
  /** A client with a key that is not in use. */
  readonly ask: (key: Secret) => Pick<ClinkApi, 'getMyPermissions'>
  readonly identity: Identity
  readonly clock: Clock
  readonly random: Random
  readonly emit: Emit
  readonly crashed: Signal<[part: string, error: Error]>
}

/** A key that the service refuses now is asked about again after this long, and said so each time. */
const REFUSED_AGAIN = 60_000
/** Whoever offers a key waits at most this long for what becomes of it. */
const PATIENCE = 10_000
const UNANSWERED = { base: 1_000, max: 30_000 }
const UNSAID = 'the service has not said yet whether it takes the key, and is asked again'

/**
 * Brings in a key that is to take the place of the current one: finds out first whether the service takes it and whose it is, as
 * far as that can be asked. Until then, and when it is no good, the current one stays.
 */
export class KeyChange {
  readonly #options: KeyChangeOptions
  #newest = new AbortController()
  #work: Promise<void> = Promise.resolve()
  #isStopped = false

  constructor(options: KeyChangeOptions) {
    this.#options = options
  }

  /**
   * Another offer takes the place of one that is still being looked at. An offer of the current key says only that it may work
   * again.
   *
   * @param from where it comes from, for people. @returns as `Keys.unused`, once what becomes of it is known, or the service has not said so within a while.
   */
  async offer(text: Secret, from: string): Promise<string | undefined> {
    if (this.#isStopped) return undefined
    const { clock, crashed, emit, keys } = this.#options
    let secret: Secret
    try {
      secret = apiKey(text)
    } catch (error) {
      this.unusable(`${from}: ${asError(error).message}`, false)
      return keys.unused
    }
    this.#newest.abort()
    const { signal } = (this.#newest = new AbortController())
    if (secret.reveal() === keys.current.secret.reveal()) {
      keys.unused = undefined
      emit({ event: 'key.unchanged' })
      keys.again()
      return undefined
    }
    const known = Promise.withResolvers<void>()
    this.#work = this.#bringIn(secret, signal, known.resolve)
      .catch((error: unknown) => crashed.say('change of the key', asError(error)))
      .finally(known.resolve)
    const cancel = after(clock, PATIENCE, () => {
      keys.unused = UNSAID
      known.resolve()
    })
    await known.promise.finally(cancel)
    // Whoever made the newer offer is told.
    return signal.aborted ? undefined : keys.unused
  }

  /** There is none to be offered. @param isReadOnce it is never read again, so that the one that was read stays. */
  unusable(problem: string, isReadOnce: boolean): void {
    const { emit, keys } = this.#options
    if (!isReadOnce) {
      this.#newest.abort()
      keys.unused = problem
    }
    emit({ event: 'key.unusable', problem, ...(isReadOnce && { isReadOnce }) })
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#newest.abort()
    await this.#work
  }

  async #bringIn(secret: Secret, signal: AbortSignal, known: () => void): Promise<void> {
    const { ask, clock, emit, identity, keys, random } = this.#options
    const candidate = ask(secret)
    const refusals = new BareRefusals()
    for (let tries = 1; !signal.aborted; tries += 1) {
      const present = keys.isTelling ? keys.current.api : undefined
      const verdict = await checkKey(candidate, present, identity, { attempts: 2, signal }, (error) =>
        refusals.weigh(error, steadyOf(clock).now()),
      )
      if (signal.aborted) return
      if (verdict.is === 'ours' || verdict.is === 'unknown') {
        keys.adopt(secret, verdict.is === 'ours')
        return
      }
      keys.unused = verdict.is === 'refused' ? verdict.reason : UNSAID
      known()
      if (verdict.is === 'refused') {
        const goesOn = keys.refusal === undefined
        emit({ event: 'key.refused', reason: verdict.reason, advice: ADVICE, goesOn })
        if (!verdict.again) return
      }
      const wait =
        verdict.is === 'refused'
          ? equalJitter(1, { base: REFUSED_AGAIN, max: REFUSED_AGAIN }, random)
          : fullJitter(tries, UNANSWERED, random)
      await sleep(clock, wait, signal)
    }
  }
}

const ADVICE = 'give this worker a key of the same owner that may read and write clinks and is not suspended'
