import { CodedError, systemCode } from '../../base/coded-error.ts'
import { linkToWorker, type Link } from '../../control/client.ts'

/**
 * Speaks to the worker that runs.
 *
 * @throws {CodedError} STATE_UNAVAILABLE when there is none.
 */
export async function reachWorker({ directory }: { readonly directory: string }): Promise<Link> {
  const link = await linkToWorker(directory)
  if (link instanceof Error) throw new CodedError('STATE_UNAVAILABLE', whyUnreached(directory, link))
  return link
}

/** For people. */
export function whyUnreached(directory: string, error: Error): string {
  const isForbidden = systemCode(error) === 'EACCES'
  const who = isForbidden ? `this user may not ask the worker of ${directory}` : `no worker listens in ${directory}`
  return `${who}: ${error.message}`
}
