import { CodedError } from '../base/coded-error.ts'
import { readWebAddress, withoutCredentials } from '../base/web-address.ts'

/**
 * The address of the service without a trailing slash.
 *
 * @throws {CodedError} USAGE for what is none. Credentials and queries are refused without being shown.
 */
export function baseUrl(value: string): string {
  const read = readWebAddress(value)
  if ('address' in read) return read.address
  const shown = JSON.stringify(withoutCredentials(value.replace(/[?#].*$/s, '…')))
  throw new CodedError('USAGE', `the address of Clink, ${shown}, ${read.problem}`)
}
