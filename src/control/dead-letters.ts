import { z } from 'zod'
import { CodedError } from '../base/coded-error.ts'
import { isChosen, type Choice } from '../ledger/choice.ts'
import type { DeadLetter, LetterChange } from '../ledger/dead-letters.ts'
import type { LateResult } from '../ledger/late-results.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Page } from '../ledger/page.ts'

const place = z.object({ at: z.number(), id: z.string() })
const choice = { after: place.exactOptional(), error: z.string().exactOptional(), group: z.string().exactOptional() }

const failedRequest = z.discriminatedUnion('request', [
  z.object({ request: z.literal('failed.letters'), ...choice }),
  z.object({ request: z.literal('failed.late'), ...choice }),
  z.object({ request: z.literal('failed.letter'), id: z.string() }),
  z.object({ request: z.literal('failed.steps'), id: z.string(), texts: z.boolean() }),
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

/** A step that is kept for a clink. `begins`: the first characters of what it came to, where they are asked for. */
export const shownStep = z.object({
  is: z.enum(['step', 'sleep', 'reply']),
  name: z.string(),
  /** Wall time; left out where an earlier version has kept it. */
  at: z.number().exactOptional(),
  bytes: z.number(),
  begins: z.string().exactOptional(),
})
export type ShownStep = z.infer<typeof shownStep>

const SHOWN = 100

type FailedAnswer = Page<DeadLetter> | Page<LateResult> | Page<ShownStep> | LetterChange

/**
 * @returns what was chosen of a page of the dead letters or of the late results, which may be none of it; the one that was named as a page;
 *   or what became of it.
 * @throws {CodedError} USAGE when the request is none of these; STATE_UNAVAILABLE when a change cannot be written.
 */
export async function answerFailed(request: unknown, letters: Letters): Promise<FailedAnswer> {
  const { data, error } = failedRequest.safeParse(request)
  if (data === undefined) throw new CodedError('USAGE', `not a request about dead letters: ${z.prettifyError(error)}`)
  const { ledger } = letters
  if (data.request === 'failed.letters') return chosen(ledger.letters.page(data.after), data)
  if (data.request === 'failed.late') return chosen(ledger.late.page(data.after), data)
  if (data.request === 'failed.letter') {
    const letter = ledger.letters.get(data.id)
    return { rows: letter === undefined ? [] : [letter] }
  }
  if (data.request === 'failed.steps') return { rows: await stepsOf(data, ledger) }
  const change = data.request === 'failed.retry' ? await ledger.retry(data.id) : await ledger.letters.discard(data.id)
  if (data.request === 'failed.retry' && change !== 'unknown') letters.retried(data.id)
  if (ledger.isHealthy) return change
  throw new CodedError('STATE_UNAVAILABLE', `${data.id}: the journal cannot be written, so that this may be forgotten`)
}

async function stepsOf(
  { id, texts }: { readonly id: string; readonly texts: boolean },
  ledger: Ledger,
): Promise<ShownStep[]> {
  const clink = ledger.letters.get(id)?.clink
  if (clink === undefined) return []
  const steps = [...(await ledger.steps.of(clink)).values()].map(({ at, is, name, value }): ShownStep => {
    const begins = texts ? { begins: value.slice(0, SHOWN) } : {}
    return { is, name, ...(typeof at === 'number' && { at }), bytes: Buffer.byteLength(value), ...begins }
  })
  return steps.toSorted((one, other) => (one.at ?? 0) - (other.at ?? 0))
}

/** A page is looked through as it is, however little of it is chosen: nobody waits for it while it looks through more. */
function chosen<Row extends DeadLetter | LateResult>({ rows, ...more }: Page<Row>, choice: Choice): Page<Row> {
  return { rows: rows.filter((row) => isChosen(choice, row)), ...more }
}
