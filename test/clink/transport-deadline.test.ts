import { once } from 'node:events'
import { Agent, createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createTcpServer, Socket } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { GotTransport } from '../../src/clink/got-transport.ts'
import type { TransportRequest } from '../../src/clink/transport.ts'
import { selfSigned } from '../support/certificate.ts'
import { listen } from '../support/loopback.ts'

const clock = systemClock()
const request: TransportRequest = { method: 'POST', path: '/x', headers: {}, body: '{"a":1}', timeout: 10_000 }

/** Blocks this thread: no timer, no I/O and no promise goes on meanwhile. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

/** A method before it is replaced. */
function original(prototype: object, name: string): (this: object, ...given: unknown[]) => unknown {
  const method: unknown = Reflect.get(prototype, name)
  if (typeof method !== 'function') throw new Error(`there is no method ${name}`)
  return function (...given) {
    return method.call(this, ...given)
  }
}

const credentials = selfSigned()
const trusted = getCACertificates('default')
beforeAll(() => setDefaultCACertificates([...trusted, credentials.cert]))
afterAll(() => setDefaultCACertificates(trusted))

const schemes = ['http', 'https'] as const
describe.each(schemes)('over %s, a request whose deadline passed while the process was blocked', (scheme) => {
  const arrived: string[] = []
  let connections = 0
  let server: Server
  let transport: GotTransport

  beforeEach(async () => {
    arrived.length = 0
    connections = 0
    server = scheme === 'http' ? createServer() : createTlsServer(credentials)
    server.on('request', (incoming, response) => {
      arrived.push(incoming.url ?? '')
      response.end('{}')
    })
    server.on('connection', (socket) => {
      connections += 1
      socket.on('data', (bytes: Buffer) => {
        if (scheme === 'http') arrived.push(bytes.toString().split(' ')[1] ?? '')
      })
    })
    transport = new GotTransport({ url: await listen(server, scheme), clock })
  })
  afterEach(async () => {
    transport.close()
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })

  it('is not sent when it was connecting', async () => {
    const emit = original(Socket.prototype, 'emit')
    const ready = scheme === 'http' ? 'connect' : 'secureConnect'
    vi.spyOn(Socket.prototype, 'emit').mockImplementation(function (this: Socket, event: string | symbol, ...rest) {
      if (event === ready) block(80)
      return Boolean(emit.call(this, event, ...rest))
    })
    const late = transport.send({ ...request, path: '/late', deadline: clock.now() + 50 })
    await expect(late).rejects.toMatchObject({ kind: 'deadline', sent: 'no' })
    await transport.send({ ...request, path: '/after' })
    expect(connections).toBe(2)
    expect(new Set(arrived)).toEqual(new Set(['/after']))
  })

  it('is not sent when a kept connection was free for it', async () => {
    await transport.send({ ...request, path: '/warm' })
    const reuse = original(Agent.prototype, 'reuseSocket')
    const reused = vi.spyOn(Agent.prototype, 'reuseSocket').mockImplementation(function (this: Agent, ...given) {
      block(80)
      reuse.call(this, ...given)
    })
    const late = transport.send({ ...request, path: '/late', deadline: clock.now() + 50 })
    await expect(late).rejects.toMatchObject({ kind: 'deadline', sent: 'no' })
    expect(reused).toHaveBeenCalledOnce()
    await transport.send({ ...request, path: '/after' })
    expect(new Set(arrived)).toEqual(new Set(['/warm', '/after']))
  })

  it('is not even begun when it is over before', async () => {
    const late = transport.send({ ...request, deadline: clock.now() })
    await expect(late).rejects.toMatchObject({ kind: 'deadline', sent: 'no' })
    await transport.send({ ...request, fresh: true })
    expect(connections).toBe(1)
  })

  it('is given up when it was sent in time and is not answered', async () => {
    server.removeAllListeners('request')
    server.on('request', (incoming) => arrived.push(incoming.url ?? ''))
    const late = transport.send({ ...request, deadline: clock.now() + 300 })
    await expect(late).rejects.toMatchObject({ kind: 'timeout', sent: 'maybe' })
    expect(arrived).toContain('/x')
  })

  it('is sent when it is in time', async () => {
    expect(await transport.send({ ...request, deadline: clock.now() + 5_000 })).toMatchObject({ status: 200 })
  })
})

it('waiting for a TLS handshake ends at the deadline, with nothing sent', async () => {
  const server = createTcpServer((socket) => socket.on('error', () => undefined).resume())
  const transport = new GotTransport({ url: await listen(server, 'https'), clock })
  const late = transport.send({ ...request, deadline: clock.now() + 50 })
  await expect(late).rejects.toMatchObject({ kind: 'deadline', sent: 'no' })
  transport.close()
  server.close()
  await once(server, 'close')
})
