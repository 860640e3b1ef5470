import { stat } from 'node:fs/promises'

/** What is said of a file that holds a secret and that others may read or write. @param what it is called, as in `the key file`. */
export async function opennessOf(file: string, what: string): Promise<readonly string[]> {
  const { mode } = await stat(file)
  if ((mode & 0o077) === 0) return []
  return [`${what} ${file} is open to others (mode ${(mode & 0o777).toString(8)}); chmod 600 it`]
}
