import { CodedError } from '../base/coded-error.ts'
import { Secret } from '../base/secret.ts'

const WHERE = 'Get a key at clink.voxos.ai and put it into CLINK_API_KEY.'

/**
 * The key, checked for its form only.
 *
 * @throws {CodedError} KEY_MISSING or KEY_MALFORMED, without showing it.
 */
export function apiKey(key: string | Secret | undefined): Secret {
  const value = (key instanceof Secret ? key.reveal() : (key ?? '')).trim()
  if (value === '') throw new CodedError('KEY_MISSING', `There is no Clink API key. ${WHERE}`)
  const problem = whyMalformed(value)
  if (problem !== undefined) throw new CodedError('KEY_MALFORMED', problem)
  return new Secret(value)
}

function whyMalformed(value: string): string | undefined {
  if (/^sk_live_[\x21-\x7e]+$/.test(value)) return undefined
  if (value.startsWith('sk_live_'))
    return `The Clink API key is cut, or holds spaces, line ends or other odd characters. ${WHERE}`
  if (/^\$\w+$/.test(value))
    return 'In place of the Clink API key there is the name of a variable: write it as ${NAME}, with braces.'
  if (value.includes('sk_live_'))
    return `Something stands before the Clink API key, such as a quote or CLINK_API_KEY=: give the key alone. ${WHERE}`
  return `The Clink API key does not begin with sk_live_. ${WHERE}`
}

/** @throws {CodedError} USAGE when the text cannot travel in a header. */
export function sessionId(text: string): string {
  const id = text.trim()
  if (/^[\x21-\x7e]{1,200}$/.test(id)) return id
  throw new CodedError(
    'USAGE',
    `the session id must be 1 to 200 printable ASCII characters without spaces: ${JSON.stringify(id)}`,
  )
}
