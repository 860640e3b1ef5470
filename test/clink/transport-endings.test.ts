import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTcpServer, type Socket } from 'node:net'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import type { TransportRequest } from '../../src/clink/transport.ts'
import { WorkerTransport } from '../../src/clink/worker-transport.ts'
import { listen } from '../support/loopback.ts'
import { transports, type ClosableTransport } from '../support/transports.ts'

const LIMIT = 10 * 1024 * 1024

const cleanUp: (() => void)[] = []
afterEach(() => {
  for (const end of cleanUp.splice(0)) end()
})

const post = {
  method: 'POST',
  path: '/x',
  headers: { authorization: 'Bearer k' },
  body: '{}',
  timeout: 10_000,
} as const
const get: TransportRequest = { method: 'GET', path: '/x', headers: {}, timeout: 10_000 }

describe.each(transports)('over $name,', ({ make }) => {
  function transportTo(url: string): ClosableTransport {
    const transport = make({ url })
    cleanUp.push(() => transport.close())
    return transport
  }

  async function serve(listener: RequestListener): Promise<ClosableTransport> {
    const server: Server = createServer(listener)
    cleanUp.push(() => {
      server.close()
      server.closeAllConnections()
    })
    return transportTo(await listen(server))
  }

  /** A server that does with each connection what it is told, below HTTP. */
  async function serveRaw(onConnection: (socket: Socket) => void, scheme = 'http'): Promise<ClosableTransport> {
    const sockets: Socket[] = []
    const server = createTcpServer((socket) => {
      sockets.push(socket)
      socket.on('error', () => undefined)
      onConnection(socket)
    })
    cleanUp.push(() => {
      server.close()
      for (const socket of sockets) socket.destroy()
    })
    return transportTo(await listen(server, scheme))
  }

  /** Without the body, which would drown a failure's report. */
  const endOf = async (transport: ClosableTransport): Promise<number> => (await transport.send(post)).status

  describe('a whole answer', () => {
    it.each([200, 201, 302, 404, 429, 500])('of status %d is an answer, not an error', async (status) => {
      const transport = await serve((_, response) => response.writeHead(status, { 'x-a': '1' }).end('{"a":"ü"}'))
      expect(await transport.send(post)).toMatchObject({ status, headers: { 'x-a': '1' }, body: '{"a":"ü"}' })
    })

    it('to a DELETE, which has no body, arrives', async () => {
      const seen: unknown[] = []
      const transport = await serve((request, response) => {
        seen.push(request.method, request.headers['content-length'], request.headers['transfer-encoding'])
        response.end('{}')
      })
      expect(await transport.send({ ...get, method: 'DELETE' })).toMatchObject({ status: 200, body: '{}' })
      expect(seen.slice(0, 1)).toEqual(['DELETE'])
      expect(seen[1] ?? '0').toBe('0')
      expect(seen[2]).toBeUndefined()
    })

    it('may be empty, and may be compressed', async () => {
      const empty = await serve((_, response) => response.writeHead(204).end())
      expect(await empty.send(get)).toMatchObject({ status: 204, body: '' })
      const gzip = await serve((_, response) => response.setHeader('content-encoding', 'gzip').end(gzipSync('{"a":1}')))
      expect(await gzip.send(get)).toMatchObject({ body: '{"a":1}' })
      for (const coding of ['GZIP', 'x-gzip']) {
        const named = await serve((_, response) =>
          response.setHeader('content-encoding', coding).end(gzipSync('{"a":1}')),
        )
        expect(await named.send(get), coding).toMatchObject({ body: '{"a":1}' })
      }
    })

    it('by redirect is not followed, so the key stays here', async () => {
      const seen: unknown[] = []
      const other = createServer((request, response) => {
        seen.push(request.headers.authorization)
        response.end('{}')
      })
      cleanUp.push(() => other.close())
      const location = await listen(other)
      for (const status of [301, 302, 303, 307, 308]) {
        const transport = await serve((_, response) => response.writeHead(status, { location }).end())
        expect(await transport.send(post)).toMatchObject({ status })
        expect(await transport.send(get)).toMatchObject({ status })
      }
      expect(seen).toEqual([])
    })

    it('of exactly 10 MiB is taken', async () => {
      const transport = await serve((_, response) => response.end('x'.repeat(LIMIT)))
      expect((await transport.send(get)).body.length).toBe(LIMIT)
    })
  })

  describe('without a whole answer', () => {
    it('a refused connection was surely not sent', async () => {
      const server = createServer()
      const url = await listen(server)
      await new Promise((resolve) => server.close(resolve))
      await expect(transportTo(url).send(post)).rejects.toMatchObject({
        name: 'TransportError',
        kind: 'refused',
        sent: 'no',
      })
    })

    it('an unknown name was surely not sent', async () => {
      await expect(transportTo('http://nobody.invalid').send(post)).rejects.toMatchObject({ kind: 'dns', sent: 'no' })
    })

    it('a failed TLS handshake was surely not sent', async () => {
      const transport = await serveRaw((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'), 'https')
      await expect(transport.send(post)).rejects.toMatchObject({ kind: 'tls', sent: 'no' })
    })

    it('a reset after the request may have arrived', async () => {
      const transport = await serveRaw((socket) => socket.once('data', () => socket.resetAndDestroy()))
      await expect(transport.send(post)).rejects.toMatchObject({ kind: 'reset', sent: 'maybe' })
    })

    it('a connection closed without a word may have arrived', async () => {
      const transport = await serveRaw((socket) => socket.once('data', () => socket.end()))
      await expect(transport.send(post)).rejects.toMatchObject({ kind: 'reset', sent: 'maybe' })
    })

    it.each([
      ['in its head', 'HTTP/1.1 200 O'],
      ['in its body', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"success":'],
      ['in a chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"suc'],
      ['in compression', 'HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n\x1f\x8b\x08\x00'],
    ])('an answer that ends %s may have arrived', async (where, text) => {
      const transport = await serveRaw((socket) => socket.once('data', () => socket.end(text, 'latin1')))
      const kind = where === 'in its head' ? /^(reset|cut)$/ : /^cut$/
      await expect(transport.send(post)).rejects.toMatchObject({ kind: expect.stringMatching(kind), sent: 'maybe' })
    })

    it('an answer that is no HTTP may have arrived', async () => {
      const transport = await serveRaw((socket) => socket.once('data', () => socket.end('SSH-2.0-OpenSSH\r\n\r\n')))
      await expect(transport.send(post)).rejects.toMatchObject({ kind: 'cut', sent: 'maybe' })
    })

    it('more than 10 MiB are refused while reading, compressed ones too', async () => {
      const body = 'x'.repeat(LIMIT + 1)
      const plain = await serve((_, response) => response.end(body))
      await expect(endOf(plain)).rejects.toMatchObject({ kind: 'too-large', sent: 'maybe' })
      for (const [encoding, packed] of [
        ['gzip', gzipSync(body)],
        ['br', brotliCompressSync(body)],
      ] as const) {
        const bomb = await serve((_, response) => response.setHeader('content-encoding', encoding).end(packed))
        await expect(endOf(bomb), encoding).rejects.toMatchObject({ kind: 'too-large', sent: 'maybe' })
      }
    })

    it('an endless answer is not read on', async () => {
      let closed = (): void => undefined
      const end = new Promise<void>((resolve) => (closed = resolve))
      const transport = await serve((_, response) => {
        const more = (): void => {
          while (response.write('x'.repeat(65_536)));
        }
        response.on('drain', more).on('close', closed)
        more()
      })
      await expect(transport.send(get)).rejects.toMatchObject({ kind: 'too-large' })
      await end
    })
  })

  describe('the timeout', () => {
    it('covers waiting for the answer', async () => {
      const transport = await serve(() => undefined)
      await expect(transport.send({ ...post, timeout: 50 })).rejects.toMatchObject({ kind: 'timeout', sent: 'maybe' })
    })

    it('covers reading, however often something comes', async () => {
      const transport = await serve((_, response) => {
        const drip = setInterval(() => response.write(' '), 10)
        response.on('close', () => clearInterval(drip))
      })
      await expect(transport.send({ ...post, timeout: 150 })).rejects.toMatchObject({ kind: 'timeout', sent: 'maybe' })
    })

    it('covers the TLS handshake, and then nothing was sent', async () => {
      const transport = await serveRaw(() => undefined, 'https')
      await expect(transport.send({ ...post, timeout: 50 })).rejects.toMatchObject({ kind: 'timeout', sent: 'no' })
    })
  })

  describe('the caller', () => {
    it('can give up before anything is sent', async () => {
      const transport = await serve((_, response) => response.end('{}'))
      const signal = AbortSignal.abort()
      await expect(transport.send({ ...post, signal })).rejects.toMatchObject({ kind: 'aborted', sent: 'no' })
    })

    it('can give up while waiting for the answer', async () => {
      const caller = new AbortController()
      const transport = await serve(() => caller.abort())
      await expect(transport.send({ ...post, signal: caller.signal })).rejects.toMatchObject({
        kind: 'aborted',
        sent: 'maybe',
      })
    })

    it('can close the transport, which gives up what is under way and takes nothing new', async () => {
      const transport = await serve(() => transport.close())
      await expect(transport.send(post)).rejects.toMatchObject({ kind: 'aborted', sent: 'maybe' })
      await expect(transport.send(post)).rejects.toMatchObject({ kind: 'aborted', sent: 'no' })
    })
  })
})

it('an interim answer that nobody has asked for costs a worker one request, and then it is read by other means', async () => {
  const server = createTcpServer((socket) =>
    socket
      .on('error', () => undefined)
      .on('data', () => {
        socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}')
      }),
  )
  const transport = new WorkerTransport({ url: await listen(server) })
  cleanUp.push(() => {
    transport.close()
    server.close()
  })
  const claim = { ...post, line: 'claim' } as const
  await expect(transport.send(claim)).rejects.toMatchObject({ sent: 'maybe' })
  expect(await transport.send(claim)).toMatchObject({ status: 200, body: '{}' })
})
