import { CodedError, systemCode } from '../../base/coded-error.ts'
import { linkToWorker } from '../../control/client.ts'
import { isCrowded, patient, STILL, type PatientLink, type Place } from './patience.ts'

/**
 * Speaks to the worker that runs.
 *
 * @throws {CodedError} STATE_UNAVAILABLE when there is none.
 */
export async function reachWorker(place: Place): Promise<PatientLink> {
  const { directory } = place
  const link = await linkToWorker(directory)
  if (link instanceof Error) throw new CodedError('STATE_UNAVAILABLE', whyUnreached(directory, link))
  return patient(link, place)
}

/** For people. */
export function whyUnreached(directory: string, error: Error): string {
  if (isCrowded(error)) return `the worker of ${directory} lets nobody in: ${STILL}`
  const isForbidden = systemCode(error) === 'EACCES'
  const who = isForbidden ? `this user may not ask the worker of ${directory}` : `no worker listens in ${directory}`
  return `${who}: ${error.message}`
}
