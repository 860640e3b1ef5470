import type { ServerResponse } from 'node:http'
import { asError } from '../base/coded-error.ts'
import { cutText, LONGEST } from '../base/cut-text.ts'

/** What a request comes to, as it is sent. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

/** To a request that only looks, and brings a body. */
export const NO_BODY = { error: 'a request here has no body' }

/** An answer that goes on: whoever begins it writes it, and ends it. */
export interface Stream extends Omit<Answer, 'text'> {
  readonly begin: (response: ServerResponse) => void
}

/** A body that JSON does not take is an error like any other. */
export function jsonAnswer(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  const all = { 'content-type': 'application/json', ...headers }
  try {
    return { status, headers: all, text: JSON.stringify(body) }
  } catch (error) {
    return { status: 500, headers: all, text: JSON.stringify(errorOf(error)) }
  }
}

export function errorOf(thrown: unknown): { readonly error: string } {
  return { error: cutText(asError(thrown).message, LONGEST.error) }
}
