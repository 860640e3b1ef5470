import { asError } from '../base/coded-error.ts'
import { ClinkApiError } from './errors.ts'

/** What the client throws; anything else is a fault of ours. */
export function apiError(thrown: unknown): ClinkApiError {
  if (thrown instanceof ClinkApiError) return thrown
  throw asError(thrown)
}

export function refusal(error: ClinkApiError): string {
  return `the service answered ${error.status}: ${error.message}`
}
