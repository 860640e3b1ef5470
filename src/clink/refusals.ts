import { asError } from '../base/coded-error.ts'
import { ClinkApiError } from './errors.ts'

/** What the client throws; anything else is a fault of ours. */
export function apiError(thrown: unknown): ClinkApiError {
  if (thrown instanceof ClinkApiError) return thrown
  throw asError(thrown)
}

/** What a request brings, or why the service did not give it. */
export async function orError<T>(asked: Promise<T>): Promise<T | ClinkApiError> {
  return await asked.catch(apiError)
}

export function refusal(error: ClinkApiError): string {
  return `the service answered ${error.status}: ${error.message}`
}
