import { errorCode, type Refusal } from './refusal.ts'

/** A request without its socket. Header names are lower case; `body` is the text, or the JSON value that it stands for. */
export interface PlainRequest {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body?: unknown
}

export interface PlainAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What becomes of a request: an answer, a part of one, a connection that is reset, or nothing. */
export type Ending =
  | { readonly is: 'answered'; readonly answer: PlainAnswer }
  | { readonly is: 'truncated'; readonly answer: PlainAnswer; readonly bytes: number }
  | { readonly is: 'cut' | 'hung' }

export function jsonAnswer(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): PlainAnswer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) }
}

export function errorAnswer(status: number, message: string, code = errorCode(status)): PlainAnswer {
  return jsonAnswer(status, { success: false, error: code, message })
}

export function refused(refusal: Refusal, more: Readonly<Record<string, string>> = {}): PlainAnswer {
  const { status, code, message, headers } = refusal
  return jsonAnswer(status, { success: false, error: code, message }, { ...more, ...headers })
}
