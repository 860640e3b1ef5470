import type { IncomingMessage } from 'node:http'

const LARGEST = 1024 * 1024

/** The body as text; `undefined` when it is larger than 1 MiB, of which the rest is read and dropped. */
export async function readBody(incoming: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of incoming) {
    const bytes = Buffer.from(part)
    size += bytes.length
    if (size <= LARGEST) parts.push(bytes)
  }
  return size > LARGEST ? undefined : Buffer.concat(parts).toString('utf8')
}
