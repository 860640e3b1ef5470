import { Agent } from 'node:http'
import { Pool, type Dispatcher } from 'undici'
import { vi, type MockInstance } from 'vitest'
import { GotTransport } from '../../src/clink/got-transport.ts'
import type { TransportOptions } from '../../src/clink/http-transport.ts'
import type { Transport } from '../../src/clink/transport.ts'
import { UndiciTransport } from '../../src/clink/undici-transport.ts'

export type ClosableTransport = Transport & { close(): void }

/** What every transport has to do, each of them does. `beforeReuse`: runs something just before a request goes over a connection that is kept. */
export const transports = [
  {
    name: 'got',
    make: (options: TransportOptions): ClosableTransport => new GotTransport(options),
    beforeReuse: (run: () => void): Pick<MockInstance, 'mockRestore'> => {
      const reuse = original(Agent.prototype, 'reuseSocket')
      return vi.spyOn(Agent.prototype, 'reuseSocket').mockImplementation(function (this: Agent, ...given) {
        run()
        reuse.call(this, ...given)
      })
    },
  },
  {
    name: 'undici',
    make: (options: TransportOptions): ClosableTransport => new UndiciTransport(options),
    beforeReuse: (run: () => void): Pick<MockInstance, 'mockRestore'> => {
      const dispatch = original(Pool.prototype, 'dispatch')
      return vi.spyOn(Pool.prototype, 'dispatch').mockImplementation(function (this: Dispatcher, ...given) {
        run()
        return Boolean(dispatch.call(this, ...given))
      })
    },
  },
] as const

/** A method before it is replaced. */
export function original(prototype: object, name: string): (this: object, ...given: unknown[]) => unknown {
  const method: unknown = Reflect.get(prototype, name)
  if (typeof method !== 'function') throw new Error(`there is no method ${name}`)
  return function (...given) {
    return method.call(this, ...given)
  }
}
