import type { Config } from '../../config/config.ts'
import { selectiveSetting } from '../../config/needs-select.ts'
import type { Taken } from '../signals.ts'

/** A way of getting claims on clinks that can start now. */
export interface Claiming {
  /**
   * Claims no more than may start.
   *
   * @throws {ClinkApiError} when the service does not give an answer that can be used, and nothing was got.
   */
  take(signal: AbortSignal): Promise<Taken>
}

/** What is known, at one moment, about how clinks may be claimed. */
export interface ClaimingFacts {
  /** Claims by id cannot take another's work. Undefined: nobody knows yet. */
  readonly mayClaimById: boolean | undefined
  /** Where nobody knows yet: whether it may be tried on the next clink. */
  readonly mayTry: boolean
  /** A claiming poll would bring only clinks that can start. */
  readonly isAllOurs: boolean
  /** The service says which clinks a claiming poll has claimed. */
  readonly pollsTell: boolean
}

export type ClaimingMode =
  | { readonly mode: 'batch' }
  | { readonly mode: 'select' }
  /** What may not be done: nothing is claimed. `isFinal`: nothing but another configuration or service changes that. */
  | { readonly mode: 'none'; readonly isFinal: boolean; readonly reason: string; readonly advice: string }

/**
 * Chooses between claiming by poll, which takes whatever comes, and listing first and claiming by id, which takes only what is
 * wanted but must not be done where it could take a sibling's claim away.
 */
export function claimingMode(config: Config, facts: ClaimingFacts): ClaimingMode {
  const { mayClaimById, mayTry } = facts
  const needing = whyById(config, facts)
  if (needing === undefined) {
    const isWanted = config.inbox.claim === 'auto' && !facts.isAllOurs
    return isWanted && mayClaimById === true ? { mode: 'select' } : { mode: 'batch' }
  }
  if (config.inbox.claim === 'batch' && !facts.pollsTell && selectiveSetting(config.inbox) === undefined) {
    const advice = 'use inbox.claim: auto or select'
    return { mode: 'none', isFinal: true, reason: `inbox.claim is batch, and ${UNTOLD}`, advice }
  }
  // Not known yet: the first clink that is claimed by id finds it out.
  if (mayClaimById === true || (mayClaimById === undefined && mayTry)) return { mode: 'select' }
  const problem =
    mayClaimById === false
      ? 'the service lets one session take what another with the same key holds'
      : 'it could not be found out whether the service keeps sessions with the same key apart, which is tried again in a minute'
  return {
    mode: 'none',
    isFinal: mayClaimById === false,
    reason: `${needing} needs claims by id, and ${problem}`,
    advice:
      'set claim.exclusive: true if nobody else uses this key, give this worker a key of its own, or do without it',
  }
}

const UNTOLD = 'the service does not say which clinks a poll has claimed'

/** What needs claims by id; undefined: nothing does. */
function whyById({ inbox }: Config, { pollsTell }: ClaimingFacts): string | undefined {
  const setting = inbox.claim === 'select' ? 'inbox.claim: select' : selectiveSetting(inbox)
  return setting ?? (pollsTell ? undefined : `this service (${UNTOLD})`)
}
