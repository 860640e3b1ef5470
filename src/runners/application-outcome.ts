import { retryAfter } from '../clink/retry-after.ts'
import { http } from '../base/node-http.ts'
import { cutText } from '../base/cut-text.ts'
import { unavailable, type Outcome } from './outcome.ts'

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
const HEADER = "the application's header Clink-Outcome"
const OUTCOMES = 'done, release, retry or reject'
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
    const { reason } = reasonOf(answer)
    const own = `${url} answers ${title(answer)}`
    if (reason === undefined) return unavailable(`${own}${why}`)
    const said = cutText(reason, LONGEST_WORDS)
    return { outcome: 'unavailable', reason: `${own}: ${said}${why}`, own: `${own}${why}`, said }
  }
  const own = asks(answer)
  const { reason, ...said } = reasonOf(answer)
  const error = { name: 'ApplicationFailed', message: reason ?? own, code: `HTTP_${status}` }
  return { outcome: 'failed', error, own, ...said }
}

function askedFor(asked: string, answer: ApplicationAnswer, wall: number): Outcome {
  switch (asked) {
    case 'done':
      return answer.text === '' ? { outcome: 'done' } : { outcome: 'done', response: answer.text }
    case 'release':
      return { outcome: 'release', own: asks(answer, asked), ...reasonOf(answer) }
    case 'retry':
      return again(answer, wall, asked)
    case 'reject':
      return { outcome: 'reject', reason: 'rejected by the application', own: asks(answer, asked), ...reasonOf(answer) }
    default: {
      const said = JSON.stringify(cutText(asked, 100))
      const message = `${HEADER} is ${said}, and not ${OUTCOMES}`
      const own = `${HEADER} is not ${OUTCOMES}`
      return { outcome: 'failed', error: { name: 'ApplicationFailed', message }, own, said }
    }
  }
}

function again(answer: ApplicationAnswer, wall: number, asked?: string): Outcome {
  const after = retryAfter(answer.headers, wall)
  return { outcome: 'retry', ...(after !== undefined && { after }), own: asks(answer, asked), ...reasonOf(answer) }
}

/** Its own words; a page for browsers has none. */
function reasonOf({ headers, text }: ApplicationAnswer): { readonly reason?: string; readonly said?: string } {
  const reason = /\bhtml\b/.test(headers['content-type'] ?? '') ? '' : text.trim()
  return reason === '' ? {} : { reason, said: reason }
}

/** @param outcome that its header asks for; left out: it has none. */
function asks(answer: ApplicationAnswer, outcome?: string): string {
  return `the application answers ${title(answer)}${outcome === undefined ? '' : `, Clink-Outcome: ${outcome}`}`
}

function title({ status }: ApplicationAnswer): string {
  return [status, http.STATUS_CODES[status]].filter((part) => part !== undefined).join(' ')
}
