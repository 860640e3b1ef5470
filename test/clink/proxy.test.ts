import { createServer, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { chooseProxy } from '../../src/base/proxy.ts'
import { ClinkClient } from '../../src/clink/client.ts'
import type { TransportRequest } from '../../src/clink/transport.ts'
import { selfSigned, trusted } from '../support/certificate.ts'
import { listen } from '../support/loopback.ts'
import { transports, type ClosableTransport } from '../support/transports.ts'
import { ProxyServer, type ProxyBehaviour } from '../support/proxy-server.ts'

const certificate = trusted()

const cleanUp: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const end of cleanUp.splice(0).toReversed()) await end()
})

const post: TransportRequest = {
  method: 'POST',
  path: '/x?y=1',
  headers: { authorization: 'Bearer k' },
  timeout: 5_000,
}

interface Service {
  readonly url: string
  readonly arrived: string[]
  status: number
}

async function serve(scheme: 'http' | 'https'): Promise<Service> {
  const server: Server = scheme === 'https' ? createSecureServer(certificate) : createServer()
  const service: Service = { url: await listen(server, scheme), arrived: [], status: 200 }
  server.on('request', (incoming, outgoing) => {
    service.arrived.push(
      `${incoming.method} ${incoming.url} ${incoming.headers['proxy-authorization'] ?? ''}`.trimEnd(),
    )
    if (incoming.headers.host !== new URL(service.url).host) service.arrived.push(`for ${incoming.headers.host}`)
    incoming.resume()
    outgoing.writeHead(service.status, { 'content-type': 'application/json' }).end('{"success":true,"data":{}}')
  })
  cleanUp.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return service
}

async function failure(sending: Promise<unknown>): Promise<{ kind: string; sent: string; message: string }> {
  const error: unknown = await sending.catch((thrown: unknown) => thrown)
  if (!(error instanceof Error) || !('kind' in error) || !('sent' in error)) throw new Error('it was sent')
  return { kind: String(error.kind), sent: String(error.sent), message: error.message }
}

describe.each(transports)('over $name,', ({ make }) => {
  async function proxied(
    service: { readonly url: string },
    behaviour: ProxyBehaviour = {},
    user = '',
  ): Promise<{ transport: ClosableTransport; proxy: ProxyServer }> {
    const proxy = await ProxyServer.start(behaviour)
    cleanUp.push(async () => await proxy[Symbol.asyncDispose]())
    return { proxy, transport: through(proxy.url.replace('//', `//${user}`), service.url) }
  }

  /** As from the environment, but for this machine itself, which is all that a test may speak to. */
  function through(address: string, url: string): ClosableTransport {
    const { proxy } = chooseProxy('https://elsewhere.example', { HTTPS_PROXY: address })
    if (proxy === undefined) throw new Error(`${address} is no proxy`)
    const transport = make({ url, proxy })
    cleanUp.push(() => transport.close())
    return transport
  }

  describe.each(['http', 'https'] as const)('a request to %s by way of a proxy', (scheme) => {
    it('arrives, over connections that are kept; a fresh one has its own', async () => {
      const service = await serve(scheme)
      const { proxy, transport } = await proxied(service)
      for (let count = 0; count < 3; count += 1) {
        expect((await transport.send({ ...post, body: '{}' })).status).toBe(200)
        await nextTurn()
      }
      await transport.send({ ...post, fresh: true, line: 'release' })
      expect(service.arrived).toEqual(Array(4).fill('POST /x?y=1'))
      const authority = new URL(service.url).host
      expect(proxy.asked).toEqual(
        scheme === 'https' ? Array(2).fill(`CONNECT ${authority}`) : Array(4).fill(`POST http://${authority}/x?y=1`),
      )
    })

    it('is authorized to the proxy, and only to the proxy', async () => {
      const service = await serve(scheme)
      const { proxy, transport } = await proxied(service, { credentials: 'bob:p@ss wörd' }, 'bob:p%40ss%20w%C3%B6rd@')
      expect((await transport.send(post)).status).toBe(200)
      expect(proxy.authorizations).toEqual([`Basic ${Buffer.from('bob:p@ss wörd').toString('base64')}`])
      expect(service.arrived).toEqual(['POST /x?y=1'])
    })

    it('works with a proxy that is spoken to over TLS', async () => {
      const service = await serve(scheme)
      const proxy = await ProxyServer.start({ certificate })
      cleanUp.push(async () => await proxy[Symbol.asyncDispose]())
      expect((await through(proxy.url, service.url).send(post)).status).toBe(200)
      expect(proxy.asked).toHaveLength(1)
    })

    it('that the proxy does not let through was not sent, and says what to do', async () => {
      const service = await serve(scheme)
      const { proxy, transport } = await proxied(service, { credentials: 'bob:right' }, 'bob:topsecret@')
      const error = await failure(transport.send(post))
      expect(error).toMatchObject({ kind: 'refused', sent: 'no' })
      expect(error.message).toMatch(
        `the proxy ${proxy.url} refuses: 407 No; give user and password in HTTPS_PROXY`.replace(
          'No',
          scheme === 'https' ? 'No' : 'Proxy Authentication Required',
        ),
      )
      expect(error.message).not.toContain('topsecret')
      expect(service.arrived).toEqual([])
    })

    it('was not sent where there is no proxy at its address, and names it', async () => {
      const server = createTcpServer()
      const url = await listen(server)
      server.close()
      const error = await failure(through(url.replace('//', '//bob:topsecret@'), 'https://clink.example').send(post))
      expect(error).toMatchObject({ kind: 'refused', sent: 'no' })
      expect(error.message).toContain(`the proxy ${url}: connect ECONNREFUSED`)
      expect(error.message).not.toContain('topsecret')
    })

    it('is given up in time while the proxy does not answer, and leaves nothing behind at the close', async () => {
      const service = await serve(scheme)
      const { transport } = await proxied(service, { refuses: 0 })
      // A tunnel that was not opened has carried nothing; what was handed to a proxy in the clear may have gone on.
      const sent = scheme === 'https' ? 'no' : 'maybe'
      expect(await failure(transport.send({ ...post, timeout: 100 }))).toMatchObject({ kind: 'timeout', sent })
      const waiting = failure(transport.send({ ...post, timeout: 60_000 }))
      await new Promise((resolve) => setTimeout(resolve, 50))
      transport.close()
      expect(await waiting).toMatchObject({ kind: 'aborted', sent })
    })
  })

  describe('what a proxy answers in place of the service', () => {
    it.each([403, 404, 502, 503, 504])(
      'a %i to CONNECT is never taken for an answer of the service: nothing was sent',
      async (status) => {
        const service = await serve('https')
        const { transport } = await proxied(service, { refuses: status })
        const error = await failure(transport.send(post))
        expect(error).toMatchObject({ kind: 'refused', sent: 'no' })
        expect(error.message).toMatch(RegExp(`^the proxy http://127.0.0.1:\\d+ refuses: ${status} No$`))
        expect(service.arrived).toEqual([])
      },
    )

    it.each([502, 504])(
      'a %i in the clear may come after the service was asked: it may have happened',
      async (status) => {
        const service = await serve('http')
        const { transport } = await proxied(service, { refuses: status })
        const client = new ClinkClient({ key: 'sk_live_u_1', url: service.url, transport, attempts: 1 })
        await expect(client.releaseClink({ clink_id: 'msg_1' })).rejects.toMatchObject({
          status,
          mayHaveHappened: true,
        })
      },
    )

    it('a refused CONNECT is tried again for a call that may not be repeated: it was not sent', async () => {
      const service = await serve('https')
      const { proxy, transport } = await proxied(service, { refuses: 503 })
      const client = new ClinkClient({ key: 'sk_live_u_1', url: service.url, transport, random: () => 0 })
      await expect(client.sendClink({ group_id: 'g', content: 'hello' })).rejects.toMatchObject({
        mayHaveHappened: false,
        failure: 'refused',
      })
      expect(proxy.asked.length).toBeGreaterThan(1)
    })

    it('a certificate that is not the service’s, in a tunnel, is a failure of TLS: nothing was sent', async () => {
      const other = createSecureServer(selfSigned())
      const url = await listen(other, 'https')
      cleanUp.push(() => void other.close())
      const { transport } = await proxied({ url })
      expect(await failure(transport.send(post))).toMatchObject({ kind: 'tls', sent: 'no' })
    })
  })

  it('a deadline that passes while the tunnel is opened: nothing was sent, and nothing is', async () => {
    const service = await serve('https')
    const { proxy, transport } = await proxied(service, { refuses: 0 })
    const clock = systemClock()
    const late = failure(transport.send({ ...post, deadline: clock.now() + 100 }))
    expect(await late).toMatchObject({ kind: 'deadline', sent: 'no' })
    proxy.behaviour = {}
    await transport.send(post)
    expect(service.arrived).toEqual(['POST /x?y=1'])
  })
})
