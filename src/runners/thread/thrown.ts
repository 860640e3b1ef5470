import { CodedError } from '../../base/coded-error.ts'
import { errorFact, errorOf } from '../../base/error-fact.ts'
import { ClinkApiError } from '../../clink/errors.ts'
import type { ThrownFact } from './messages.ts'

/** What a service has thrown, as data. */
export function thrownFact(thrown: unknown): ThrownFact {
  const error = errorFact(thrown)
  if (thrown instanceof CodedError) return { error, code: thrown.code }
  if (!(thrown instanceof ClinkApiError)) return { error }
  const { status, detail, operation, mayHaveHappened, retryAfter, failure, isBare } = thrown
  return { error, api: { status, detail, operation, mayHaveHappened, retryAfter, failure, isBare } }
}

/** The error of the other thread, of the class that it had. */
export function thrownError({ api, code, error }: ThrownFact): Error {
  if (api !== undefined) return new ClinkApiError(error.message, api)
  return code === undefined ? errorOf(error) : new CodedError(code, error.message)
}
