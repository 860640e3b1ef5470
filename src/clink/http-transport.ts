import type { IncomingHttpHeaders } from 'node:http'
import type { Clock } from '../base/clock.ts'
import type { ForwardProxy } from '../base/proxy.ts'

/** What transports over HTTP are made with. */
export interface TransportOptions {
  /** Address of the service, with a path prefix or none. */
  readonly url: string
  /** What requests go through. Default: nothing. */
  readonly proxy?: ForwardProxy | undefined
  readonly clock?: Clock | undefined
}

/** In bytes, after decompression. The largest real answer, 100 clinks of 4096 characters, stays below 2 MiB. */
export const LARGEST_ANSWER = 10 * 1024 * 1024

export function flatHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const flattened: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flattened[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return flattened
}
