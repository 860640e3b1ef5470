import type { IncomingMessage } from 'node:http'

/** Whether a server that is asked under this name, as the header Host has it without its port, is meant at all. */
export type IsOurs = (name: string) => boolean

/**
 * Why a request is not for this server. A page of somebody else's may have our address under its own name (DNS rebinding), or send requests
 * from its own place: browsers then say so in Host and in Origin.
 */
export function foreignness(request: IncomingMessage, isOurs: IsOurs): string | undefined {
  const [host = '', ...others] = request.headersDistinct['host'] ?? []
  const name = /^(\[[\da-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i.exec(host)?.[1]?.toLowerCase()
  if (name === undefined || others.length > 0) return 'the header Host names no server'
  if (!isOurs(name)) return `this server is not ${name}`
  const { origin } = request.headers
  if (origin === undefined || /^https?:\/\/(.*)$/i.exec(origin)?.[1] === host) return undefined
  return 'the page that asks is of another origin'
}
