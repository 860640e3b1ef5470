import { retryAfter } from '../clink/retry-after.ts'
import { http } from '../base/node-http.ts'
import { cutText } from '../base/cut-text.ts'
import type { Outcome } from './outcome.ts'

/** What an application has answered. */
export interface ApplicationAnswer {
  readonly status: number
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** As much of the body as is kept. */
  readonly text: string
}

/** Answers that say nothing of the clink: the address, the method, the form or the signature is not what the application takes. */
const MISCONFIGURED: ReadonlySet<number> = new Set([401, 403, 404, 405, 415, 422])
const WAITS: ReadonlySet<number> = new Set([429, 503])
/** Of what it says about itself, in a line of the log. */
const LONGEST_WORDS = 300

/** What the answer of an application means. `wall` in milliseconds. */
export function applicationOutcome(answer: ApplicationAnswer, url: string, wall: number): Outcome {
  const { headers, status, text } = answer
  const asked = headers['clink-outcome']?.trim().toLowerCase()
  if (asked !== undefined) return askedFor(asked, answer, wall)
  if (status >= 200 && status < 300) return text === '' ? { outcome: 'done' } : { outcome: 'done', response: text }
  if (WAITS.has(status)) return again(answer, wall)
  if (MISCONFIGURED.has(status) || (status >= 300 && status < 400)) {
    const isMoved = status < 400
    const why = isMoved ? ' (redirects are not followed: configure the address itself)' : ''
    return { outcome: 'unavailable', reason: `${url} answers ${named(answer)}${why}` }
  }
  return { outcome: 'failed', error: { name: 'ApplicationFailed', message: words(answer), code: `HTTP_${status}` } }
}

function askedFor(asked: string, answer: ApplicationAnswer, wall: number): Outcome {
  switch (asked) {
    case 'done':
      return answer.text === '' ? { outcome: 'done' } : { outcome: 'done', response: answer.text }
    case 'release':
      return { outcome: 'release', ...reasonOf(answer) }
    case 'retry':
      return again(answer, wall)
    case 'reject':
      return { outcome: 'reject', reason: 'rejected by the application', ...reasonOf(answer) }
    default: {
      const message = `the application's header Clink-Outcome is ${JSON.stringify(cutText(asked, 100))}, and not done, release, retry or reject`
      return { outcome: 'failed', error: { name: 'ApplicationFailed', message } }
    }
  }
}

function again(answer: ApplicationAnswer, wall: number): Outcome {
  const after = retryAfter(answer.headers, wall)
  return { outcome: 'retry', ...(after !== undefined && { after }), ...reasonOf(answer) }
}

/** Its own words; a page for browsers has none. */
function reasonOf({ headers, text }: ApplicationAnswer): { readonly reason?: string } {
  const reason = /\bhtml\b/.test(headers['content-type'] ?? '') ? '' : text.trim()
  return reason === '' ? {} : { reason }
}

function words(answer: ApplicationAnswer): string {
  return reasonOf(answer).reason ?? `the application answers ${title(answer)}`
}

function named(answer: ApplicationAnswer): string {
  const { reason } = reasonOf(answer)
  return reason === undefined ? title(answer) : `${title(answer)}: ${cutText(reason, LONGEST_WORDS)}`
}

function title({ status }: ApplicationAnswer): string {
  return [status, http.STATUS_CODES[status]].filter((part) => part !== undefined).join(' ')
}
