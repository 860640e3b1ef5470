import { asError, systemCode } from '../base/coded-error.ts'
import { isIrregular, readRegularFile } from '../base/regular-file.ts'

/** What a secret holds at least, and at most, in bytes: https://www.standardwebhooks.com. */
const SHORTEST = 24
const LONGEST = 64
const FORM = /^(?:whsec_)?([A-Za-z0-9+/]+={0,2})$/
const ADVICE = `one a line: whsec_ and ${SHORTEST} to ${LONGEST} bytes in base64, as "openssl rand -base64 32" prints them`

/**
 * The secrets with which requests to an application are signed, one a line: while one takes the place of another, both sign.
 *
 * @throws {Error} that says what is wrong, reading on from the path, and nothing of what stands there.
 */
export async function readSecrets(file: string): Promise<readonly Buffer[]> {
  const bytes = await readRegularFile(file).catch((error: unknown) => {
    if (isIrregular(error)) throw error
    throw new Error(UNREADABLE[systemCode(error)] ?? `cannot be read: ${asError(error).message}`)
  })
  const lines = bytes
    .toString()
    .split('\n')
    .map((line) => line.trim())
  const secrets = lines.filter((line) => line !== '').map((line) => Buffer.from(FORM.exec(line)?.[1] ?? '', 'base64'))
  if (secrets.length > 0 && secrets.every(({ length }) => length >= SHORTEST && length <= LONGEST)) return secrets
  throw new Error(`does not hold secrets of Standard Webhooks, ${ADVICE}`)
}

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'is not there',
  EISDIR: 'is a directory, not a file',
  EACCES: 'may not be read by this user',
}
