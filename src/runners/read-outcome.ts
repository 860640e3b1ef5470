import { asError, isError } from '../base/coded-error.ts'
import { errorFact } from '../base/error-fact.ts'
import { isControl, type Asleep, type Control } from '../handlers/handler.ts'
import { jsonText } from './json-text.ts'
import type { Outcome } from './outcome.ts'

/** How the code of a handler in JavaScript ended. */
export type RunEnd =
  { readonly ended: 'returned'; readonly value: unknown } | { readonly ended: 'threw'; readonly error: unknown }

/**
 * The one place where what a handler returned or threw becomes an outcome.
 *
 * @param made the controls that the handler's context made during the run.
 */
export function readOutcome(end: RunEnd, made: readonly Control[]): Outcome {
  try {
    return read(end, made)
  } catch (error) {
    return failed(`what the handler ${end.ended} cannot be read`, error)
  }
}

function read(end: RunEnd, made: readonly Control[]): Outcome {
  const result = end.ended === 'returned' ? end.value : end.error
  if (isControl(result)) return fromControl(result)
  if (end.ended === 'threw') return failedBy(end.error, 'the handler threw an error')
  const [unused] = made
  if (unused !== undefined) {
    const call = unused.kind === 'retry' ? 'retryAfter' : unused.kind
    return failed(`ctx.${call}() was called and its result neither returned nor thrown: write "return ctx.${call}(…)"`)
  }
  return fromValue(result)
}

function fromControl(control: Control | Asleep): Outcome {
  switch (control.kind) {
    case 'sleep':
      return { outcome: 'asleep', name: control.name, until: control.until }
    case 'release':
      return { outcome: 'release', ...reasonOf(control) }
    case 'reject':
      return { outcome: 'reject', reason: 'rejected by the handler', ...reasonOf(control) }
    case 'retry':
      return { outcome: 'retry', after: control.after ?? 0, ...reasonOf(control) }
  }
}

/** An error that is returned counts as thrown: whoever collects what others threw hands it on so. */
function fromValue(value: unknown): Outcome {
  const isWrapped = typeof value === 'object' && value !== null && !isError(value) && 'response' in value
  const answer = isWrapped ? value.response : value
  if (isError(answer)) return failedBy(answer, 'the handler returned an error')
  try {
    const response = answerText(answer)
    return response === undefined ? { outcome: 'done' } : { outcome: 'done', response }
  } catch (error) {
    return failed('the handler returned what cannot be sent as JSON', error)
  }
}

function failedBy(thrown: unknown, own: string): Outcome {
  const error = errorFact(thrown)
  return { outcome: 'failed', error, own, said: error.message }
}

/** @param cause the handler has a part in it, and in what it says. */
function failed(own: string, cause?: unknown): Outcome {
  if (cause === undefined) return { outcome: 'failed', error: errorFact(new Error(own)), own }
  const said = asError(cause).message
  return { outcome: 'failed', error: errorFact(new Error(`${own}: ${said}`, { cause })), own, said }
}

/** Handlers need not be checked by a compiler, and an error is a reason as good as its text. What is kept has to be text. */
function reasonOf({ reason }: { readonly reason?: unknown }): { readonly reason?: string } {
  if (reason === undefined || reason === null) return {}
  return { reason: typeof reason === 'string' ? reason : asError(reason).message }
}

/**
 * What a handler answers, as the text that is sent: text as it is, everything else as JSON; undefined: nothing.
 *
 * @throws {Error} that says what cannot be sent, and where it stands.
 */
function answerText(answer: unknown): string | undefined {
  if (answer === undefined || answer === null || answer === '') return undefined
  return typeof answer === 'string' ? answer : jsonText(answer)
}
