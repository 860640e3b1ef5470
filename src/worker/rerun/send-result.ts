import { equalJitter, waitAsAsked } from '../../base/backoff.ts'
import type { ClinkApiError } from '../../clink/errors.ts'
import type { Clink } from '../../clink/records.ts'
import { isRateLimited, refusesRecipient, refusesText } from '../../clink/verdicts.ts'
import type { DeliveryFacts } from '../../events.ts'
import type { Route } from '../../handlers/route.ts'
import { NOT_KNOWN } from '../../ledger/dead-letters.ts'
import { orError, refusal } from '../../clink/refusals.ts'
import { sendReply } from '../replies/reply.ts'
import { fitText, LONGEST_TEXT } from '../replies/text.ts'
import type { RerunContext } from './context.ts'

const PAUSE = { base: 1_000, max: 60_000 }

export interface ResultFacts {
  readonly facts: DeliveryFacts
  /** The route's. */
  readonly mark: Route['mark']
  /** How many tries there have been in this process, with this one. */
  readonly tries: number
}

/**
 * Sends the result of a rerun to the sender of its clink. Sending is not idempotent: the intent is journalled first, and an intent without
 * an answer, also one that an earlier process left, is the operator's to decide about. Nor is it repeated by the client, which does not
 * know when the letter is discarded.
 *
 * @returns milliseconds to wait before another try; 0: the letter says what became of it.
 */
export async function sendResult(
  clink: Clink,
  { facts, mark, tries }: ResultFacts,
  context: RerunContext,
): Promise<number> {
  const { closing, emit, keys, ledger, signals } = context
  const { letters } = ledger
  const id = clink.clink_id
  const { response = '', step } = letters.rerunOf(id) ?? {}
  if (step === 'sending') return await unknown(NOT_KNOWN)
  await letters.noteRerun(id, { step: 'sending', response })
  // It was discarded meanwhile.
  if (letters.rerunOf(id) === undefined) return 0
  if (!ledger.isHealthy || closing.aborted || !keys.mayAct) return await later(0)
  emit({ event: 'clink.rerun', ...facts, step: 'send' })
  if (fitText(response).cut)
    emit({ event: 'clink.responseShortened', ...facts, length: LONGEST_TEXT, why: `longer than ${LONGEST_TEXT}` })
  const sent = await send(clink, response, mark, context)
  if (sent === undefined) return 0
  if (typeof sent !== 'string') return await failed(sent)
  await ledger.settled(clink, 'sent')
  emit({ event: 'clink.rerunDone', ...facts, resultId: sent, response })
  return 0

  async function failed(error: ClinkApiError): Promise<number> {
    if (error.mayHaveHappened) return await unknown(`its result was sent and not answered: ${error.message}`)
    if (refusesText(error) || refusesRecipient(error)) {
      const reason = `its result cannot be sent: ${refusal(error)}`
      await letters.noteRerun(id, { step: 'refused', response }, reason)
      emit({ event: 'clink.deadLettered', ...facts, reason, attempts: facts.attempt ?? 0 })
      signals.deadLettered.say(clink)
      return 0
    }
    const wait = waitAsAsked(equalJitter(tries, PAUSE, context.random), error.retryAfter)
    if (isRateLimited(error)) context.rateLimit.refused(wait)
    emit({ event: 'clink.resultUnsent', ...facts, error, wait })
    return await later(wait)
  }

  async function later(wait: number): Promise<number> {
    await letters.noteRerun(id, { step: 'ready', response })
    return Math.max(wait, PAUSE.base)
  }

  async function unknown(reason: string): Promise<0> {
    await letters.noteRerun(id, { step: 'unknown', response }, reason)
    emit({ event: 'clink.resultUnknown', ...facts, reason, advice: ADVICE })
    return 0
  }
}

/**
 * The id of the new clink, or why there is none; undefined: it was discarded. A text that surely did not arrive, for its length, is sent fitted
 * to bytes.
 */
async function send(
  clink: Clink,
  response: string,
  mark: Route['mark'],
  context: RerunContext,
): Promise<string | ClinkApiError | undefined> {
  const sending = { clink, to: clink.sender_id, is: 'answer', mark } as const
  const trySend = async (unit: 'utf16' | 'bytes'): Promise<string | ClinkApiError> => {
    const deadline = context.clock.now() + context.settings.current.clink.timeout
    const limits = { deadline, signal: context.closing, unit, attempts: 1 } as const
    return await orError(sendReply(response, sending, limits, context.keys.current.api, context))
  }
  const sent = await trySend('utf16')
  const isTooLong = typeof sent !== 'string' && refusesText(sent) && !sent.mayHaveHappened
  if (!isTooLong || !fitText(response, undefined, 'bytes').cut) return sent
  return context.ledger.letters.rerunOf(clink.clink_id) === undefined ? undefined : await trySend('bytes')
}

const ADVICE =
  'look whether its sender has the result; if not, `clink-worker failed retry` sends it again, otherwise `failed discard`'
