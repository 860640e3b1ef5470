import { createServer, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { CodedError } from '../../src/base/coded-error.ts'
import { healthPages } from '../../src/server/health-pages.ts'
import { jsonAnswer } from '../../src/server/answer.ts'
import { Listener, type ListenerOptions } from '../../src/server/listener.ts'
import { isLoopbackName } from '../../src/base/host-names.ts'
import { OperatorServer, type OperatorServerOptions } from '../../src/server/operator-server.ts'
import { until } from '../support/until.ts'
import { closed, connected, exchanged, read } from '../support/raw-http.ts'

const SECRET = 'a-secret-of-somebody'
const worker = {
  settledLiveness: async () => await Promise.resolve({ alive: true, reasons: [] }),
  readiness: () => ({ ready: false, reasons: [`the service said ${SECRET}`] }),
}

async function serve({ settings, ...others }: Partial<OperatorServerOptions> = {}) {
  const said: string[] = []
  const server = new OperatorServer({
    settings: { host: '127.0.0.1', port: 0, allowedHosts: [], isChosen: true, ...settings },
    pages: healthPages(worker),
    redact: (text) => text.replaceAll(SECRET, '[secret]'),
    listening: (url) => void said.push(url),
    unavailable: (problem) => void said.push(problem),
    ...others,
  })
  onTestFinished(async () => await server.stop())
  await server.start()
  return { server, said, url: said[0] ?? '' }
}

async function listen(options: Partial<ListenerOptions>): Promise<string> {
  const answer: ListenerOptions['answer'] = async () => await Promise.resolve(jsonAnswer(200, {}))
  const listener = new Listener({
    host: '127.0.0.1',
    port: 0,
    connections: 10,
    isOurs: isLoopbackName,
    answer,
    ...options,
  })
  onTestFinished(async () => await listener.stop())
  await listener.start()
  return listener.url ?? ''
}

/** A port that somebody else has for as long as the test lasts, or until it is let go. */
async function taken(): Promise<{ port: number; letGo: () => Promise<void> }> {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const letGo = async (): Promise<void> => await new Promise((resolve) => other.close(() => resolve()))
  onTestFinished(letGo)
  const address = other.address()
  return { port: typeof address === 'object' ? (address?.port ?? 0) : 0, letGo }
}

describe('§7: the HTTP server', () => {
  it('says with reasons whether the worker is alive and ready, by GET and HEAD, and nothing secret (P13)', async () => {
    const { url } = await serve()
    const live = await fetch(`${url}/livez?verbose`)
    expect([live.status, await live.json()]).toEqual([200, { alive: true, reasons: [] }])
    expect(live.headers.get('content-type')).toBe('application/json')
    expect(live.headers.get('cache-control')).toBe('no-store')
    const ready = await fetch(`${url}/readyz`)
    expect([ready.status, await ready.json()]).toEqual([503, { ready: false, reasons: ['the service said [secret]'] }])
    const head = await fetch(`${url}/readyz`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([503, ''])
  })

  const HOST = 'Host: localhost\r\n'
  const hostile: readonly (readonly [what: string, request: string, status: number])[] = [
    ['another Host', 'GET /livez HTTP/1.1\r\nHost: evil.example\r\n', 403],
    ['a Host that begins as ours', 'GET /livez HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n', 403],
    ['a Host with a user', 'GET /livez HTTP/1.1\r\nHost: localhost@evil.example\r\n', 403],
    ['another address as Host', 'GET /livez HTTP/1.1\r\nHost: 10.0.0.1\r\n', 403],
    ['two Hosts', `GET /livez HTTP/1.1\r\n${HOST}Host: evil.example\r\n`, 403],
    ['no Host', 'GET /livez HTTP/1.1\r\n', 403],
    ['no Host, as of old', 'GET /livez HTTP/1.0\r\n', 403],
    ['another Origin', `GET /livez HTTP/1.1\r\n${HOST}Origin: https://evil.example\r\n`, 403],
    ['an Origin of this machine', `GET /livez HTTP/1.1\r\n${HOST}Origin: http://localhost:3000\r\n`, 403],
    ['the Origin of a file', `GET /livez HTTP/1.1\r\n${HOST}Origin: null\r\n`, 403],
    ['POST', `POST /livez HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\n{}`, 405],
    ['DELETE', `DELETE /livez HTTP/1.1\r\n${HOST}`, 405],
    ['OPTIONS', `OPTIONS /livez HTTP/1.1\r\n${HOST}`, 405],
    ['a path upwards', `GET /livez/../../etc/passwd HTTP/1.1\r\n${HOST}`, 404],
    ['a path that comes to ours', `GET /x/../livez HTTP/1.1\r\n${HOST}`, 404],
    ['an encoded path', `GET /%6civez HTTP/1.1\r\n${HOST}`, 404],
    ['a doubled slash', `GET //livez HTTP/1.1\r\n${HOST}`, 404],
    ['a NUL', `GET /livez%00 HTTP/1.1\r\n${HOST}`, 404],
    ['a whole address', `GET http://evil.example/livez HTTP/1.1\r\n${HOST}`, 404],
    ['what every object has', `GET /__proto__ HTTP/1.1\r\n${HOST}`, 404],
    ['a path without a slash', `GET livez HTTP/1.1\r\n${HOST}`, 400],
    ['a huge body', `GET /livez HTTP/1.1\r\n${HOST}Content-Length: 10000000000\r\n`, 413],
    [
      'a huge body that asks first',
      `GET /livez HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 9999999\r\n`,
      413,
    ],
    ['a body that never comes', `GET /livez HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n`, 413],
    ['two lengths', `POST /livez HTTP/1.1\r\n${HOST}Content-Length: 0\r\nContent-Length: 9\r\n`, 400],
    ['a length and chunks', `POST / HTTP/1.1\r\n${HOST}Content-Length: 9\r\nTransfer-Encoding: chunked\r\n`, 400],
    ['a huge head', `GET /livez HTTP/1.1\r\n${HOST}X-Long: ${'x'.repeat(20_000)}\r\n`, 431],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', 400],
  ]

  it.each(hostile)('refuses %s', async (_, request, status) => {
    const { url } = await serve()
    const whole = request.includes('\r\n\r\n') ? request : `${request}Connection: close\r\n\r\n`
    const answer = read(await exchanged(url, whole))
    expect(answer.status).toBe(status)
    expect(answer.body).toEqual({ error: expect.any(String) })
    expect((await fetch(`${url}/livez`)).status).toBe(200)
  })

  it('leads nobody on to anywhere: CONNECT is not answered', async () => {
    const { url } = await serve()
    expect(await exchanged(url, `CONNECT evil.example:443 HTTP/1.1\r\n${HOST}\r\n`)).toBe('')
  })

  it('is asked by the names that are allowed, and by its own', async () => {
    const { url } = await serve({
      settings: { host: '127.0.0.1', port: 0, allowedHosts: ['worker.internal'], isChosen: true },
    })
    const status = async (host: string): Promise<number> =>
      read(await exchanged(url, `GET /livez HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).status
    expect(await status('Worker.Internal:80')).toBe(200)
    expect(await status('[::1]:80')).toBe(200)
    expect(await status('internal')).toBe(403)
  })

  it('on all addresses it is asked by any name, unless some are allowed', async () => {
    const everywhere = { host: '0.0.0.0', port: 0, isChosen: true }
    const status = async (allowedHosts: readonly string[]): Promise<number> => {
      const { url } = await serve({ settings: { ...everywhere, allowedHosts } })
      const asked = 'GET /livez HTTP/1.1\r\nHost: worker.internal\r\nConnection: close\r\n\r\n'
      return read(await exchanged(url.replace('0.0.0.0', '127.0.0.1'), asked)).status
    }
    expect([await status([]), await status(['other.internal']), await status(['worker.internal'])]).toEqual([
      200, 403, 200,
    ])
  })

  it('ends a connection on which a request does not come to its end', async () => {
    const url = await listen({ times: { headersTimeout: 100, requestTimeout: 100, connectionsCheckingInterval: 20 } })
    const slowly = `GET /livez HTTP/1.1\r\n${HOST}`
    expect(read(await exchanged(url, slowly))).toMatchObject({ status: 408, body: { error: expect.any(String) } })
    expect(await exchanged(url)).toMatch(/^$|^HTTP\/1\.1 408/)
  })

  it('ends a connection on which nobody takes the answer', async () => {
    const text = 'x'.repeat(50_000_000)
    const answer: ListenerOptions['answer'] = async () => await Promise.resolve({ status: 200, headers: {}, text })
    const url = await listen({ answer, silence: 100 })
    const socket = await connected(url)
    socket.pause().write(`GET / HTTP/1.1\r\n${HOST}\r\n`)
    await until(() => socket.readableLength > 0 || socket.closed, 'the answer comes')
    // Nothing is read until the other side has given up.
    await new Promise<void>((resolve) => setTimeout(resolve, 400))
    let length = 0
    socket.on('data', (part) => (length += part.length))
    await closed(socket)
    expect(length).toBeLessThan(text.length)
  })

  it('has no more connections than it may, and serves those that it has', async () => {
    const go = Promise.withResolvers<undefined>()
    const answer = async () => {
      await go.promise
      return jsonAnswer(200, {})
    }
    let asked = 0
    const url = await listen({ connections: 2, answer: async () => ((asked += 1), await answer()) })
    const two = [await connected(url), await connected(url)]
    for (const socket of two) socket.write(`GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`)
    await until(() => asked === 2, 'both have asked')
    await closed(await connected(url))
    go.resolve(undefined)
    for (const socket of two) await closed(socket)
    expect((await fetch(url)).status).toBe(200)
  })

  it('closes connections on which nothing is asked, the oldest first, for one more (P12)', async () => {
    const { url } = await serve()
    const idle: Socket[] = []
    for (let n = 0; n < 300; n += 1) idle.push(await connected(url))
    const slow = await connected(url)
    slow.write(`GET /livez HTTP/1.1\r\n${HOST}`)
    const start = performance.now()
    for (let n = 0; n < 20; n += 1) expect((await fetch(`${url}/livez`)).status).toBe(200)
    expect(performance.now() - start).toBeLessThan(5_000)
    const [first, last] = [idle[0], idle.at(-1)]
    if (first !== undefined) await closed(first)
    expect(last?.closed).toBe(false)
    slow.end(`Connection: close\r\n\r\n`)
    await closed(slow)
    for (const socket of idle) socket.destroy()
  })

  it('closes a connection whose request is still arriving as well, and none on which an answer is waited for', async () => {
    const go = Promise.withResolvers<undefined>()
    let asked = 0
    const answer: ListenerOptions['answer'] = async (request) => {
      asked += 1
      await go.promise
      return jsonAnswer(200, { path: request.url })
    }
    const url = await listen({ connections: 2, answer })
    const [waiting, arriving] = [await connected(url), await connected(url)]
    waiting.write(`GET /waits HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`)
    arriving.write(`POST /arrives HTTP/1.1\r\n${HOST}Content-Length: 9\r\n\r\n{`)
    await until(() => asked === 2, 'both are seen')
    const answered = fetch(`${url}/probe`)
    await closed(arriving)
    go.resolve(undefined)
    expect((await answered).status).toBe(200)
    await closed(waiting)
  })

  it('stops though connections are open and answers under way', async () => {
    const never = new Promise<never>(() => {})
    const { server, url } = await serve({ pages: { '/never': async () => await never } })
    const [idle, waiting] = [await connected(url), await connected(url)]
    waiting.write(`GET /never HTTP/1.1\r\n${HOST}\r\n`)
    await server.stop()
    await Promise.all([closed(idle), closed(waiting)])
    await server.stop()
  })

  it('a page that fails is a 500 that says why', async () => {
    const fails = async (): Promise<never> => await Promise.reject(new Error(`no ${SECRET}`))
    const { url } = await serve({ pages: { '/fails': fails } })
    expect((await fetch(`${url}/fails`)).status).toBe(500)
  })
})

describe('§7: a port in use', () => {
  it('is an error in one line where the port was chosen', async () => {
    const { port } = await taken()
    const settings = { host: '127.0.0.1', port, allowedHosts: [], isChosen: true }
    const error: unknown = await serve({ settings }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(CodedError)
    expect(error).toMatchObject({ code: 'CANNOT_LISTEN', exitCode: 69 })
    expect(String(error)).toMatch(/cannot listen: 127\.0\.0\.1:\d+ is in use already; choose another server\.port/)
  })

  it('is said once where nobody chose it, and a stop ends the waiting', async () => {
    const { port } = await taken()
    const { said, server } = await serve({ settings: { host: '127.0.0.1', port, allowedHosts: [], isChosen: false } })
    expect(said).toEqual([expect.stringContaining(`127.0.0.1:${port} is in use already`)])
    expect(server.state).toEqual({ url: null, problem: said[0] })
    await server.start()
    expect(said).toHaveLength(1)
    await server.stop()
  })

  it('is listened on as soon as it is free', async () => {
    const { letGo, port } = await taken()
    const { said, server } = await serve({ settings: { host: '127.0.0.1', port, allowedHosts: [], isChosen: false } })
    await letGo()
    await server.start()
    expect(said.slice(1)).toEqual([`http://127.0.0.1:${port}`])
  })

  it.each([
    ['203.0.113.7', /is no address of this machine/],
    ['no-such-host.invalid', /cannot be had/],
  ])('an address that is not ours is an error as well: %s', async (host, problem) => {
    const settings = { host, port: 7717, allowedHosts: [], isChosen: true }
    const error: unknown = await serve({ settings }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'CANNOT_LISTEN', message: expect.stringMatching(problem) })
  })
})
