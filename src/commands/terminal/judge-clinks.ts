import { systemClock } from '../../base/clock.ts'
import type { ClinkClient } from '../../clink/client.ts'
import type { Clink } from '../../clink/records.ts'
import type { Config } from '../../config/config.ts'
import { Settings } from '../../config/settings.ts'
import type { RememberedClink } from '../../control/remembered.ts'
import type { Emit, LeftAlone } from '../../events.ts'
import type { HandlerSet } from '../../handlers/handler-set.ts'
import { Identity } from '../../keys/identity.ts'
import { NameWarnings } from '../../worker/admission/name-warnings.ts'
import { Scope } from '../../worker/admission/scope.ts'
import { judge, whyUnwanted, type Unwanted } from '../../worker/admission/verdict.ts'
import { readText } from '../../worker/replies/hops.ts'
import type { Io } from './io.ts'
import { remembered, type Remembered } from './remembered.ts'

export interface Judged {
  readonly clink: Clink
  /** Null: it would be left alone. */
  readonly route: string | null
  /** What the route takes, or why the clink would be left alone. */
  readonly why: string
}

interface JudgeParts {
  readonly config: Config
  readonly handlers: HandlerSet
  /** Who is asked for the ids of groups; left out: nobody, records carry slugs. */
  readonly client?: ClinkClient | undefined
}

/** What the worker would do with clinks, by its own judgement and by what it remembers of them. */
export class ClinkJudge {
  readonly #parts: JudgeParts
  readonly #settings: Settings
  readonly #scope: Scope
  readonly #identity: Identity
  readonly #names: NameWarnings
  readonly #io: Io
  #remembered: Remembered = new Map()

  constructor(parts: JudgeParts, io: Io) {
    const { client, config, handlers } = parts
    const { identity } = config.clink
    this.#parts = parts
    this.#io = io
    this.#settings = new Settings(config)
    this.#identity = new Identity(identity === 'auto' ? undefined : identity, () => {})
    const emit: Emit = (event) => {
      if (event.event === 'inbox.unknownGroup') io.problem(`inbox.groups: there is no group ${event.group}`)
      else if ('advice' in event) io.problem(event.advice)
    }
    this.#names = new NameWarnings({ emit, settings: this.#settings }, handlers)
    const nobody = async (): Promise<never> => await Promise.reject(new Error('nobody is asked'))
    const api = client ?? { listGroups: nobody, resolveGroup: nobody }
    const by = { api, router: handlers, clock: systemClock(), emit }
    this.#scope = new Scope({ settings: this.#settings, identity: this.#identity, ...by })
  }

  /**
   * Asks what these clinks are judged by.
   *
   * @returns them, each with the slug of its group where that is known.
   * @throws {ClinkApiError} when the service does not answer.
   */
  async begin(clinks: readonly Clink[]): Promise<readonly Clink[]> {
    const { client, config } = this.#parts
    const ids = [...new Set(clinks.map(({ clink_id }) => clink_id))]
    this.#remembered = await remembered(ids, config.state, this.#io)
    if (client === undefined) return clinks
    const { signal } = new AbortController()
    await this.#scope.resolve(signal)
    return await this.#scope.learn(clinks, signal)
  }

  async judge(clink: Clink): Promise<Judged> {
    const unwanted = this.#scope.whyNot(clink)
    if (unwanted !== undefined) return { clink, route: null, why: `${unwanted} leaves it out` }
    const { handlers } = this.#parts
    const identity = this.#identity.id === undefined ? NOBODY : this.#identity
    const memory = memoryOf(this.#remembered.get(clink.clink_id))
    const by = { ...NOBODY_MUTED, settings: this.#settings, identity, router: handlers, nameWarnings: this.#names }
    const ledger = { recallOne: async () => await Promise.resolve(memory) }
    const verdict = await judge(clink, memory, { ...by, ledger })
    if (!('run' in verdict)) return { clink, route: null, why: whyLeft(verdict) }
    const { fault, route } = verdict.run
    const taken = handlers.described.find((one) => one.route === route)
    return fault === undefined
      ? { clink, route: route.name, why: taken?.match ?? '' }
      : { clink, route: null, why: fault }
  }

  /** Why the routes before the one that takes the clink do not; all of them where none does. */
  async passed(clink: Clink): Promise<readonly string[]> {
    const { config, handlers } = this.#parts
    const { text } = readText(clink.content, config.replies.mark)
    return await handlers.passed({ ...clink, content: text }, this.#identity.id)
  }
}

function memoryOf({ coolsFor, isGivenUp, isOwn }: Omit<RememberedClink, 'id'> = NOT_REMEMBERED) {
  return { isOwn, coolsFor, isCooling: coolsFor > 0, isLeftToLetter: () => isGivenUp }
}

const NOT_REMEMBERED = { isOwn: false, isGivenUp: false, coolsFor: 0 }
const NOBODY_MUTED = { loopGuard: { isMuted: () => false } }
/** Who we are is found out by a claim: until then what may be our own reply may be work. */
const NOBODY = { id: '', isUs: () => false }

const LEFT: Partial<Record<LeftAlone, string>> = {
  'own-reply': 'our own reply',
  note: 'a note of a worker',
  'no-route': 'no route',
  circle: 'inbox.maxHops is reached',
  'given-up': 'a dead letter (clink-worker failed show)',
  cooling: 'released less than retry.cooldown ago',
}

function whyLeft(verdict: Unwanted): string {
  const why = whyUnwanted(verdict)
  return LEFT[why] ?? why
}
