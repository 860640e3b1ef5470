import { steadyOf } from '../../base/clock.ts'
import { BareRefusals } from '../../clink/bare-refusals.ts'
import type { ClinkApiError } from '../../clink/errors.ts'
import { isConflict, isFailing, refusesClaim, refusesText } from '../../clink/verdicts.ts'
import type { LostCause } from '../../events.ts'
import type { Settled } from '../delivery/handle.ts'
import { apiError, refusal } from '../../clink/refusals.ts'
import { FailingSpell, limits, mayTry, pauseAfter, sayTaken, type Claimed } from './attempts.ts'
import { findClink, lossShownBy } from '../claim/observe.ts'
import { noteAnswer, noteOwn } from '../replies/reply.ts'
import { fitText, LONGEST_TEXT } from '../replies/text.ts'
import { sign, type Signed } from '../replies/sign.ts'
import type { SettlementContext } from './context.ts'

/** How telling Clink about a result has ended. */
export type Completion =
  | Extract<Settled, { is: 'completed' | 'elsewhere' }>
  /** The service does not accept it in any form; or it fails to take it, renews the claim all the while, and `Claimed.failing` has given it up. */
  | { readonly is: 'unsettleable'; readonly why: string }
  /** The clink shows that the claim is gone. */
  | ({ readonly is: 'lost'; readonly cause: LostCause } & Untaken)
  /** The lease, or the time for stopping, ended before the service answered; it may have taken the result. */
  | ({ readonly is: 'unconfirmed' } & Untaken)

interface Untaken {
  /** Milliseconds for which the service has failed at last. */
  readonly failing: number
}

/** After so many failures of a completion that may have been carried out follows a look at the clink: a proxy may pass on the request and not the answer. */
const LOOK = 3

/**
 * Completes a clink, as often as it takes while the lease stands.
 *
 * An answer that did not arrive leaves the result unknown: the same request is sent again, and what a refusal means then is
 * decided by a look at the clink. Without an earlier unknown a refusal is what it says. A text that the service does not
 * accept is sent shorter, then not at all; what may come from something in front of it is believed after a look only.
 *
 * @param response what the handler answers; or what is sent as it is, signed.
 * @param wasKept the result was in the journal before: an earlier claim or process may have sent it, and Clink may have it.
 */
export function complete(
  claimed: Claimed,
  response: string | Signed | undefined,
  context: SettlementContext,
  wasKept = false,
): Promise<Completion> {
  return new Completing(claimed, response, context, wasKept).end()
}

class Completing {
  readonly #claimed: Claimed
  readonly #context: SettlementContext
  readonly #forms: ResponseForms
  readonly #startedAt: number
  readonly #spell: FailingSpell
  readonly #refusals = new BareRefusals()
  #mayBeDone: boolean

  constructor(claimed: Claimed, response: string | Signed | undefined, context: SettlementContext, wasKept: boolean) {
    const { clink, mark } = claimed
    const sending = { clink, to: clink.sender_id, is: 'answer', mark } as const
    this.#claimed = claimed
    this.#context = context
    this.#forms = new ResponseForms(typeof response === 'string' ? sign(response, sending, context) : response)
    this.#startedAt = context.clock.now()
    this.#spell = new FailingSpell(context.clock, context.terms.settingsOf(claimed.holder.lease).timeout)
    this.#mayBeDone = wasKept
  }

  async end(): Promise<Completion> {
    if (this.#forms.isCut) this.#sayShortened(`longer than ${LONGEST_TEXT}`)
    for (let tries = 1; mayTry(this.#claimed, this.#context); tries += 1) {
      try {
        return await this.#try()
      } catch (thrown) {
        const error = this.#refusals.weigh(apiError(thrown), steadyOf(this.#context.clock).now())
        const end = await this.#follow(error, tries)
        if (end !== 'again') return end
        if (!refusesText(error)) await pauseAfter(error, tries, 'complete', this.#claimed, this.#context)
      }
    }
    return { is: 'unconfirmed', failing: this.#spell.lasts }
  }

  async #try(): Promise<Completion> {
    const { api, clink } = this.#claimed
    const body = this.#forms.text === undefined ? {} : { response: this.#forms.text }
    const answer = await api.completeClink({ clink_id: clink.clink_id, ...body }, limits(this.#claimed, this.#context))
    sayTaken(this.#context)
    return await this.#confirmed(answer.clink.completed_at, answer.response_clink_id ?? undefined, false)
  }

  /** What follows from a try that has failed. */
  async #follow(error: ClinkApiError, tries: number): Promise<Completion | 'again'> {
    this.#mayBeDone ||= error.mayHaveHappened
    const failed = this.#spell.note(isFailing(error), this.#claimed.holder.lease)
    if (refusesClaim(error) && !this.#mayBeDone) return elsewhere(refusal(error))
    const isDoubtful = this.#mayBeDone && isFailing(error) && (failed !== undefined || tries % LOOK === 0)
    if (refusesClaim(error) || refusesText(error) || isDoubtful) {
      const shown = await this.#look(error, failed ?? this.#spell.lasts)
      if (shown !== undefined) return shown
    }
    if (failed !== undefined && (await this.#claimed.failing?.(failed)) === true)
      return { is: 'unsettleable', why: FAILING }
    if (!refusesText(error)) return 'again'
    if (this.#forms.text === undefined) return { is: 'unsettleable', why: error.message }
    this.#forms.next()
    this.#sayShortened(refusal(error))
    return 'again'
  }

  /**
   * What has become of the clink, where an earlier request may have been carried out, or a page have hidden this one's answer. Undefined:
   * still ours, ask again.
   */
  async #look(error: ClinkApiError, failing: number): Promise<Completion | undefined> {
    const { api, clink, holder } = this.#claimed
    const { closing, identity } = this.#context
    const record = await findClink(clink, api, holder.lease.deadline, closing)
    if (record === 'failed') return undefined
    if (record === undefined || record === 'hidden') {
      if (isConflict(error)) return await this.#confirmed(undefined, undefined, true)
      return refusesClaim(error) ? elsewhere(refusal(error)) : undefined
    }
    if (record.status === 'completed') {
      const other = identity.isSomebodyElse(record.completed_by)
      return other
        ? elsewhere(`completed by ${record.completed_by ?? 'somebody else'}`)
        : await this.#confirmed(record.completed_at, undefined, false)
    }
    const cause = lossShownBy(record, identity)
    return cause === undefined ? undefined : { is: 'lost', cause, failing }
  }

  /** @param at when the service completed it, where it says. */
  async #confirmed(
    at: string | null | undefined,
    responseId: string | undefined,
    presumed: boolean,
  ): Promise<Completion> {
    const { clink } = this.#claimed
    const { clock, ledger } = this.#context
    const { text } = this.#forms
    // First of all: its time may be over before the rest is written.
    this.#claimed.confirmed?.()
    if (responseId !== undefined) await noteOwn(responseId, clink.sender_id, this.#context)
    if (text !== undefined) noteAnswer(clink.sender_id, at, this.#context)
    // A result that is only presumed to have arrived is kept: if the clink comes back after all, it is sent again.
    if (!presumed) await ledger.settled(clink)
    const shown = {
      ...(text === undefined ? {} : { response: text }),
      ...(responseId === undefined ? {} : { responseId }),
    }
    return { is: 'completed', ...shown, presumed, duration: clock.now() - this.#startedAt }
  }

  #sayShortened(why: string): void {
    const { facts } = this.#claimed
    const length = this.#forms.text?.length ?? 0
    this.#context.emit({ event: 'clink.responseShortened', ...facts, length, why })
  }
}

/** Why a result is given up that the service accepts in no answer. */
export const FAILING = 'the service failed to take the result over two leases'

const elsewhere = (detail: string): Completion => ({ is: 'elsewhere', detail })

/** The forms in which a response is offered: whole as far as it fits, then fitted to bytes, then none. */
class ResponseForms {
  /** Undefined: no response is sent. */
  text: string | undefined
  readonly isCut: boolean
  readonly #whole: Signed | undefined

  constructor(response: Signed | undefined) {
    this.#whole = response
    const fitted = response === undefined ? undefined : fitText(response.text, response.line)
    this.text = fitted?.text
    this.isCut = fitted?.cut ?? false
  }

  /** On to the next form, since the service refused this one. */
  next(): void {
    const whole = this.#whole
    const shorter = whole === undefined ? undefined : fitText(whole.text, whole.line, 'bytes').text
    this.text = shorter === this.text ? undefined : shorter
  }
}
