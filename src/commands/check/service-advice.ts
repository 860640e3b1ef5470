import { EXIT } from '../../base/coded-error.ts'
import { ClinkApiError } from '../../clink/errors.ts'
import { isFailing, isRateLimited, refusesKey } from '../../clink/verdicts.ts'
import { attempt, isFinding, type Finding } from './finding.ts'

/** As `attempt`. What refuses one of these questions, and not the key, does not answer as Clink does: no such path, most likely. */
export async function ask<T extends object>(what: string, look: () => Promise<T>): Promise<T | Finding> {
  const found = await attempt(what, look, adviceFor)
  return isFinding(found) && found.exit === EXIT.failed ? { ...found, exit: EXIT.unavailable } : found
}

/** What to do about a question that came to nothing. */
function adviceFor(error: Error): string | undefined {
  if (!(error instanceof ClinkApiError)) return undefined
  if (refusesKey(error))
    return 'put the right key where the line "key" above says that it comes from: this one is wrong, suspended, or was exchanged'
  if (isRateLimited(error))
    return 'wait, and look at who else uses this key: clink-worker says its own part in /metrics (api_requests_total)'
  switch (error.failure) {
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
      return 'look at the network, firewalls and proxies in between: the connection is made, and no whole answer comes'
    case 'unreadable':
    case 'foreign':
    case 'too-large':
      return 'what answers is not Clink: a proxy, a page to sign in, or another service; look at clink.url and at HTTPS_PROXY'
    case 'aborted':
    case undefined:
      return isFailing(error)
        ? 'the service fails: wait, or ask whoever runs it'
        : 'look at clink.url: what answers there knows no such question'
  }
}
