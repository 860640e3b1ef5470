import type { ClinkClient } from '../../src/clink/client.ts'

/** A call as JavaScript makes it: the compiler checks nothing. */
export async function untyped(client: ClinkClient, operation: string, params: unknown): Promise<unknown> {
  const call: unknown = Reflect.get(client, 'call')
  if (typeof call !== 'function') throw new Error('the client has no call')
  return await call.call(client, operation, params)
}
