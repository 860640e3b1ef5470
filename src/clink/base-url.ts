import { CodedError } from '../base/coded-error.ts'

/**
 * The address of the service without a trailing slash: `http:` or `https:`, with a path prefix or none.
 *
 * @throws {CodedError} USAGE for anything else. Credentials and queries are refused without being shown.
 */
export function baseUrl(value: string): string {
  const url = URL.parse(value)
  const shown = value.replace(/[?#].*$/s, '…').replace(/^([^/]*\/\/).*@/s, '$1…@')
  const refuse = (why: string): CodedError =>
    new CodedError('USAGE', `the address of Clink, ${JSON.stringify(shown)}, ${why}`)
  if (url === null) throw refuse('is not a web address')
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse('must begin with https:// or http://')
  if (url.username !== '' || url.password !== '') throw refuse('must not carry credentials')
  if (/[?#]/.test(value)) throw refuse('must not carry a query or fragment')
  return url.href.replace(/\/+$/, '')
}
