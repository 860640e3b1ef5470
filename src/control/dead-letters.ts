import { z } from 'zod'
import { CodedError } from '../base/coded-error.ts'
import type { DeadLetter, LetterChange } from '../ledger/dead-letters.ts'
import type { LateResult } from '../ledger/late-results.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Page } from '../ledger/page.ts'

const place = z.object({ at: z.number(), id: z.string() })

const failedRequest = z.discriminatedUnion('request', [
  z.object({ request: z.literal('failed.letters'), after: place.exactOptional() }),
  z.object({ request: z.literal('failed.late'), after: place.exactOptional() }),
  z.object({ request: z.literal('failed.retry'), id: z.string() }),
  z.object({ request: z.literal('failed.discard'), id: z.string() }),
])

/** What can be asked about dead letters, of the worker that runs or of the state that it left. */
export type FailedRequest = z.infer<typeof failedRequest>

export interface Letters {
  readonly ledger: Ledger
  /** The clink may be run again. */
  retried(id: string): void
}

type FailedAnswer = Page<DeadLetter> | Page<LateResult> | LetterChange

/**
 * @returns a page of the dead letters or of the late results, or what became of the one that was named.
 * @throws {CodedError} USAGE when the request is none of these; STATE_UNAVAILABLE when a change cannot be written.
 */
export async function answerFailed(request: unknown, letters: Letters): Promise<FailedAnswer> {
  const { data, error } = failedRequest.safeParse(request)
  if (data === undefined) throw new CodedError('USAGE', `not a request about dead letters: ${z.prettifyError(error)}`)
  const { ledger } = letters
  if (data.request === 'failed.letters') return ledger.letters.page(data.after)
  if (data.request === 'failed.late') return ledger.late.page(data.after)
  const change = data.request === 'failed.retry' ? await ledger.retry(data.id) : await ledger.letters.discard(data.id)
  if (data.request === 'failed.retry' && change !== 'unknown') letters.retried(data.id)
  if (ledger.isHealthy) return change
  throw new CodedError('STATE_UNAVAILABLE', `${data.id}: the journal cannot be written, so that this may be forgotten`)
}
