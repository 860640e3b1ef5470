import { EXIT } from '../../base/coded-error.ts'
import { humanDuration } from '../../base/duration.ts'
import { ClinkApiError } from '../../clink/errors.ts'
import type { TransportFailure } from '../../clink/transport.ts'
import { forbids, isFailing, isRateLimited, redirects, refusesKey } from '../../clink/verdicts.ts'
import { attempt, isFinding, type Finding } from './finding.ts'

/** As `attempt`. What refuses one of these questions, and not the key, does not answer as Clink does: no such path, most likely. */
export async function ask<T extends object>(what: string, look: () => Promise<T>): Promise<T | Finding> {
  const found = await attempt(what, look, adviceFor)
  return isFinding(found) && found.exit === EXIT.failed ? { ...found, exit: EXIT.unavailable } : found
}

/** What to do about a question that came to nothing. */
export function adviceFor(error: Error): string | undefined {
  if (!(error instanceof ClinkApiError)) return undefined
  if (refusesKey(error))
    return 'put the right key where the line "key" above says that it comes from: this one is wrong, suspended, or was exchanged'
  if (forbids(error))
    return 'the service knows the key and does not let it ask this: use another, or ask whoever made it'
  if (isRateLimited(error)) {
    const wait = error.retryAfter === undefined ? 'wait' : `wait ${humanDuration(error.retryAfter)}`
    return `${wait}, and look at who else uses this key: clink-worker says its own part in /metrics (api_requests_total)`
  }
  if (redirects(error))
    return 'if Clink is where it leads, write that address into clink.url; otherwise a proxy or a page to sign in answers'
  if (error.failure === 'unreadable' || error.failure === 'foreign') return NOT_CLINK
  if (error.failure !== undefined) return adviceAbout(error.failure)
  return isFailing(error)
    ? 'the service fails: wait, or ask whoever runs it'
    : 'look at clink.url: what answers there knows no such question'
}

const NOT_CLINK =
  'what answers is not Clink: a proxy, a page to sign in, or another service; look at clink.url and at HTTPS_PROXY'

/** What to do where no answer came. */
export function adviceAbout(failure: TransportFailure): string {
  switch (failure) {
    case 'dns':
      return 'look at the host in clink.url, and at the name servers of this machine'
    case 'refused':
      return 'look at clink.url, at firewalls, and at HTTPS_PROXY and NO_PROXY: nothing listens there, or nothing lets us through'
    case 'tls':
      return 'look at the line "tls" above'
    case 'timeout':
    case 'deadline':
    case 'reset':
    case 'cut':
    case 'aborted':
      return 'look at the network, firewalls and proxies in between: the connection is made, and no whole answer comes'
    case 'too-large':
      return NOT_CLINK
  }
}
