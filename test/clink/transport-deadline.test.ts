import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createTcpServer, Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import type { TransportRequest } from '../../src/clink/transport.ts'
import { trusted } from '../support/certificate.ts'
import { listen } from '../support/loopback.ts'
import { original, transports, type ClosableTransport } from '../support/transports.ts'

const clock = systemClock()
const request: TransportRequest = { method: 'POST', path: '/x', headers: {}, body: '{"a":1}', timeout: 10_000 }

/** Blocks this thread: no timer, no I/O and no promise goes on meanwhile. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

const credentials = trusted()

describe.each(transports)('over $name,', ({ beforeReuse, make }) => {
  const schemes = ['http', 'https'] as const
  describe.each(schemes)('over %s, a request whose deadline passed while the process was blocked', (scheme) => {
    const arrived: string[] = []
    let connections = 0
    let server: Server
    let transport: ClosableTransport

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
      transport = make({ url: await listen(server, scheme), clock })
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
      const slow = beforeReuse(() => block(80))
      const late = transport.send({ ...request, path: '/late', deadline: clock.now() + 50 })
      await expect(late).rejects.toMatchObject({ kind: 'deadline', sent: 'no' })
      expect(slow).toHaveBeenCalledOnce()
      slow.mockRestore()
      await transport.send({ ...request, path: '/after' })
      expect(new Set(arrived)).toEqual(new Set(['/warm', '/after']))
    })

    it('is not sent when nobody wants it any more once it has its connection', async () => {
      let isWanted = true
      const late = transport.send({
        ...request,
        path: '/late',
        deadline: clock.now() + 5_000,
        isWanted: () => isWanted,
      })
      isWanted = false
      await expect(late).rejects.toMatchObject({ kind: 'deadline', sent: 'no' })
      await transport.send({ ...request, path: '/after', isWanted: () => true })
      expect(new Set(arrived)).toEqual(new Set(['/after']))
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
    const transport = make({ url: await listen(server, 'https'), clock })
    const late = transport.send({ ...request, deadline: clock.now() + 50 })
    await expect(late).rejects.toMatchObject({ kind: 'deadline', sent: 'no' })
    transport.close()
    server.close()
    await once(server, 'close')
  })
})
