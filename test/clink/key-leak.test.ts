import { createServer, type RequestListener } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { Writable } from 'node:stream'
import { inspect } from 'node:util'
import { pino } from 'pino'
import { afterEach, expect, it } from 'vitest'
import { ClinkClient, type ClientOptions } from '../../src/clink/client.ts'
import { listen } from '../support/loopback.ts'

const KEY = 'sk_live_u_verysecretindeed'
const cleanUp: (() => void)[] = []
afterEach(() => {
  for (const end of cleanUp.splice(0)) end()
})

function clientOf(url: string, options: Partial<ClientOptions> = {}): ClinkClient {
  const client = new ClinkClient({ key: KEY, url, attempts: 2, random: () => 0, ...options })
  cleanUp.push(() => client.close())
  return client
}

async function httpClient(listener: RequestListener, options?: Partial<ClientOptions>): Promise<ClinkClient> {
  const server = createServer(listener)
  cleanUp.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return clientOf(await listen(server), options)
}

async function rawClient(answer: string, scheme = 'http'): Promise<ClinkClient> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => (answer === '' ? socket.resetAndDestroy() : socket.end(answer)))
  })
  cleanUp.push(() => server.close())
  return clientOf(await listen(server, scheme))
}

/** Every way in which errors get printed, with all that hangs on them. */
function printed(error: unknown): string {
  let logged = ''
  const log = pino(new Writable({ write: (chunk: Buffer, _, done) => done(void (logged += chunk.toString())) }))
  log.error(error)
  log.error({ err: error, error }, 'failed')
  const stack = error instanceof Error ? error.stack : undefined
  const deep = inspect(error, { depth: Infinity, showHidden: true, getters: true, maxStringLength: null })
  return [logged, deep, inspect(error), JSON.stringify(error), String(error), stack].join('\n')
}

const failures: readonly (readonly [string, () => Promise<ClinkClient>])[] = [
  ['a refused connection', async () => clientOf('http://127.0.0.1:9')],
  ['an unknown name', async () => clientOf('http://nobody.invalid')],
  ['a TLS failure', async () => await rawClient('no TLS here', 'https')],
  ['a reset', async () => await rawClient('')],
  ['a cut answer', async () => await rawClient('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{')],
  ['an answer that is no HTTP', async () => await rawClient('hello')],
  ['a timeout', async () => await httpClient(() => undefined, { timeout: 30 })],
  ['a redirect', async () => await httpClient((_, response) => response.writeHead(302, { location: '/x' }).end())],
  ['a page', async () => await httpClient((_, response) => response.end('<html>'))],
  [
    'a service that echoes the request',
    async () =>
      await httpClient((request, response) => {
        const echo = `You sent ${request.headers.authorization}`
        response.writeHead(401, { 'x-echo': echo }).end(JSON.stringify({ success: false, error: echo, message: echo }))
      }),
  ],
  [
    'a service that echoes the request in its type and at the edge of the longest text',
    async () =>
      await httpClient((request, response) => {
        const { authorization = '' } = request.headers
        const edge = `${'x'.repeat(480)}${authorization}`
        response
          .writeHead(200, { 'content-type': `text/${authorization}` })
          .end(request.method === 'GET' ? edge : JSON.stringify({ success: false, message: edge }))
      }),
  ],
]

it.each(failures)('%s shows no key, however it is printed', async (_, make) => {
  const client = await make()
  const errors = await Promise.all(
    [client.listGroups(), client.sendClink({ group_id: 'g', content: 'x' })].map((call) =>
      call.catch((e: unknown) => e),
    ),
  )
  for (const error of errors) {
    expect(error).toMatchObject({ name: 'ClinkApiError' })
    const text = printed(error)
    expect(text).toContain('ClinkApiError')
    expect(text).not.toContain('verysecret')
    expect(text).not.toContain('sk_live_')
  }
})

it('an answer that cannot be used because of the key in it is told without it', async () => {
  const client = await httpClient((request, response) => {
    const permissions = { [String(request.headers.authorization)]: 'yes' }
    response.end(JSON.stringify({ success: true, data: { permissions } }))
  })
  const error: unknown = await client.getMyPermissions().catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ failure: 'unreadable' })
  expect(printed(error)).not.toContain('verysecret')
})

it('the client itself shows no key', () => {
  expect(printed(clientOf('http://127.0.0.1:9'))).not.toContain('verysecret')
})

it('a caller who gives up, also between tries, is shown no key', async () => {
  const caller = new AbortController()
  const client = await httpClient(
    (_, response) => {
      response.writeHead(503).end()
      setTimeout(() => caller.abort(new Error('enough')), 5)
    },
    { random: () => 1 },
  )
  const error: unknown = await client.listGroups({}, { signal: caller.signal }).catch((e: unknown) => e)
  expect(error).toMatchObject({ failure: 'aborted' })
  expect(printed(error)).not.toContain('verysecret')
})
