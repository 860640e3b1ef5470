import type { AdmissionContext } from './context.ts'

/**
 * `identity`: a clink waits that we may have sent; `owner`: claims may be another owner's; `polls`: which clinks a poll claimed; `unclaimed`: why
 * polls claim none of the clinks that they show; `denied`: claims are granted in somebody else's name.
 */
export type Doubt = 'identity' | 'owner' | 'polls' | 'unclaimed' | 'denied'

const TEXTS: Readonly<Record<Doubt, { readonly reason: string; readonly advice: string }>> = {
  identity: {
    reason: 'clinks wait that this worker may have sent itself, and the service does not say whose the key is',
    advice: 'set clink.identity to the id of the user or agent profile that the key belongs to',
  },
  owner: {
    reason: 'what the key claims may be another owner’s, and the service does not say whose it is',
    advice: 'set clink.identity, or go back to the key before',
  },
  polls: {
    reason: 'the service does not say which clinks a claiming poll has claimed',
    advice: 'use inbox.claim: auto or select, so that clinks are claimed by id',
  },
  unclaimed: {
    reason: 'clinks wait, and the service claims none of them for polls that ask it to, again and again',
    advice: 'use inbox.claim: select, so that clinks are claimed by id, or have the service looked at',
  },
  denied: {
    reason:
      'the service grants claims and names somebody else as their owner, again and again, so that none of them is worked',
    advice:
      'set clink.identity to the id of the user or agent profile that the key belongs to, or have the service looked at',
  },
}

/** Milliseconds for which a doubt stands that is not raised again: what waits is shown anew when claims run out, or by the next sweep. */
const STANDS = 600_000
const SAID_EVERY = 60_000

/**
 * What the worker cannot tell about clinks that wait. It claims or leaves them in good order and works none, which nothing else would
 * show: while a doubt stands the worker is not ready.
 */
export class Doubts {
  readonly #context: Pick<AdmissionContext, 'clock' | 'identity' | 'settings' | 'signals'>
  readonly #until = new Map<Doubt, number>()
  readonly #saidAt = new Map<Doubt, number>()

  constructor(context: Pick<AdmissionContext, 'clock' | 'identity' | 'settings' | 'signals'>) {
    this.#context = context
  }

  raise(doubt: Doubt): void {
    const { clock, settings, signals } = this.#context
    const now = clock.now()
    this.#until.set(doubt, now + Math.max(STANDS, 2 * settings.current.poll.sweep))
    if (now < (this.#saidAt.get(doubt) ?? -Infinity) + SAID_EVERY) return
    this.#saidAt.set(doubt, now)
    signals.notReady.say(TEXTS[doubt])
  }

  lower(doubt: Doubt): void {
    this.#until.delete(doubt)
  }

  /** The doubts that stand, for people. */
  get reasons(): readonly string[] {
    const { clock, identity } = this.#context
    if (identity.id !== undefined) this.lower('identity')
    const standing = [...this.#until].filter(([, until]) => clock.now() < until)
    return standing.map(([doubt]) => `${TEXTS[doubt].reason}: ${TEXTS[doubt].advice}`)
  }
}
