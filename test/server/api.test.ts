import { describe, expect, it, onTestFinished } from 'vitest'
import { CodedError } from '../../src/base/coded-error.ts'
import { Secret } from '../../src/base/secret.ts'
import { jsonAnswer } from '../../src/server/answer.ts'
import { Access } from '../../src/server/access.ts'
import { Api, type ApiRequest } from '../../src/server/api.ts'
import { EventStreams, type EventStreamsOptions } from '../../src/server/event-streams.ts'
import { Listener } from '../../src/server/listener.ts'
import { isLoopbackName } from '../../src/base/host-names.ts'
import { OperatorServer } from '../../src/server/operator-server.ts'
import { Site } from '../../src/server/site.ts'
import { closed, connected, exchanged, read } from '../support/raw-http.ts'
import { until } from '../support/until.ts'

const TOKEN = 'a-token-that-nobody-guesses'
const SECRET = 'a-secret-of-somebody'

interface Serving {
  readonly host?: string
  readonly token?: string | null
  readonly events?: Partial<EventStreamsOptions>
}

/** A server with one request that looks and one that changes something; `asked` says what reached them. */
async function serve({ events = {}, host = '127.0.0.1', token = null }: Serving = {}) {
  const asked: unknown[] = []
  const row = (changes: boolean): ApiRequest => ({
    changes,
    ask: async (given) => {
      const params: unknown = given instanceof URLSearchParams ? Object.fromEntries(given) : given
      asked.push(params)
      if (JSON.stringify(params).includes('wrong')) throw new CodedError('USAGE', 'this is wrong')
      return await Promise.resolve({ is: 'answered', secret: SECRET })
    },
  })
  const requests = new Map([
    ['status', row(false)],
    ['pause', row(true)],
  ])
  const streams = new EventStreams({ told: {}, most: 2, turn: 5, ...events })
  const said: string[] = []
  const server = new OperatorServer({
    settings: { host, port: 0, allowedHosts: [], isChosen: true },
    pages: {},
    operation: {
      access: new Access({ host, token: token === null ? undefined : new Secret(token) }),
      api: new Api({ requests, events: streams }),
      site: new Site(),
    },
    redact: (text) => text.replaceAll(SECRET, '[secret]'),
    listening: (url) => void said.push(url.replace('0.0.0.0', '127.0.0.1')),
    unavailable: () => {},
  })
  onTestFinished(async () => await server.stop())
  await server.start()
  return { url: said[0] ?? '', asked, streams, server }
}

const HOST = 'Host: localhost\r\n'
const JSON_TYPE = 'Content-Type: application/json\r\n'
const BODY = 'Content-Length: 2\r\n\r\n{}'
const POST = `POST /api/pause HTTP/1.1\r\n${HOST}`

const hostile: readonly (readonly [what: string, request: string, status: number])[] = [
  ['another Host (DNS rebinding)', 'GET /api/status HTTP/1.1\r\nHost: evil.example\r\n', 403],
  ['another Host with our port', 'GET /api/status HTTP/1.1\r\nHost: evil.example:7717\r\n', 403],
  ['no Host', 'GET /api/status HTTP/1.1\r\n', 403],
  ['two Hosts', `GET /api/status HTTP/1.1\r\n${HOST}Host: evil.example\r\n`, 403],
  ['another Origin', `${POST}${JSON_TYPE}Origin: https://evil.example\r\n${BODY}`, 403],
  ['the Origin of a sandbox', `${POST}${JSON_TYPE}Origin: null\r\n${BODY}`, 403],
  ['another port of this machine as Origin', `${POST}${JSON_TYPE}Origin: http://localhost:3000\r\n${BODY}`, 403],
  [
    'a request of another site without Origin',
    `GET /api/status HTTP/1.1\r\n${HOST}Sec-Fetch-Site: cross-site\r\n`,
    403,
  ],
  ['a request of a site beside ours', `GET /api/status HTTP/1.1\r\n${HOST}Sec-Fetch-Site: same-site\r\n`, 403],
  ['a stream for another site', `GET /api/events HTTP/1.1\r\n${HOST}Sec-Fetch-Site: cross-site\r\n`, 403],
  ['a change by GET', `GET /api/pause HTTP/1.1\r\n${HOST}`, 405],
  ['a change by HEAD', `HEAD /api/pause HTTP/1.1\r\n${HOST}`, 405],
  ['a change by PUT', `PUT /api/pause HTTP/1.1\r\n${HOST}${JSON_TYPE}${BODY}`, 405],
  ['a look by POST', `POST /api/status HTTP/1.1\r\n${HOST}${JSON_TYPE}${BODY}`, 405],
  ['a look with a body', `GET /api/status HTTP/1.1\r\n${HOST}${JSON_TYPE}${BODY}`, 413],
  ['a stream with a body', `GET /api/events HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 413],
  ['a preflight', `OPTIONS /api/pause HTTP/1.1\r\n${HOST}`, 405],
  ['what a form sends', `${POST}Content-Type: application/x-www-form-urlencoded\r\n${BODY}`, 415],
  ['JSON as text', `${POST}Content-Type: text/plain\r\n${BODY}`, 415],
  ['a body without a type', `${POST}${BODY}`, 415],
  ['no JSON', `${POST}${JSON_TYPE}Content-Length: 2\r\n\r\n{]`, 400],
  ['a key twice', `${POST}${JSON_TYPE}Content-Length: 25\r\n\r\n{"route":"a","route":"b"}`, 400],
  ['a list', `${POST}${JSON_TYPE}Content-Length: 2\r\n\r\n[]`, 400],
  ['what is no object', `${POST}${JSON_TYPE}Content-Length: 4\r\n\r\nnull`, 400],
  ['a huge body', `${POST}${JSON_TYPE}Content-Length: 10000000000\r\n\r\n`, 413],
  [
    'a long body in chunks',
    `${POST}${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\n1d4c0\r\n${'x'.repeat(120_000)}\r\n0\r\n\r\n`,
    413,
  ],
  ['a huge query', `GET /api/status?id=${'x'.repeat(9_000)} HTTP/1.1\r\n${HOST}`, 414],
  ['a huge head', `GET /api/status HTTP/1.1\r\n${HOST}X-Long: ${'x'.repeat(20_000)}\r\n`, 431],
  ['a path upwards', `GET /dashboard/../../package.json HTTP/1.1\r\n${HOST}`, 404],
  ['an encoded path upwards', `GET /dashboard/%2e%2e%2fpackage.json HTTP/1.1\r\n${HOST}`, 404],
  ['a path with a NUL', `GET /dashboard/main.js%00.html HTTP/1.1\r\n${HOST}`, 404],
  ['a path below a request', `GET /api/status/x HTTP/1.1\r\n${HOST}`, 404],
  ['what every object has', `GET /api/__proto__ HTTP/1.1\r\n${HOST}`, 404],
  ['what every object can do', `GET /api/constructor HTTP/1.1\r\n${HOST}`, 404],
  ['an encoded name', `GET /api/%73tatus HTTP/1.1\r\n${HOST}`, 404],
  ['a change with a query', POST.replace(' HTTP', '?route=all HTTP') + JSON_TYPE + BODY, 400],
  ['a stream with a query', `GET /api/events?since=1 HTTP/1.1\r\n${HOST}`, 400],
  ['a page by POST', `POST / HTTP/1.1\r\n${HOST}${BODY}`, 405],
]

describe('§7: requests by HTTP', () => {
  it.each(hostile)('refuses %s, and nothing is asked', async (_, request, status) => {
    const { asked, url } = await serve()
    const whole = request.includes('\r\n\r\n') ? request : `${request}\r\n`
    const answer = await exchanged(url, whole.replace('\r\n', '\r\nConnection: close\r\n'))
    expect(Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])).toBe(status)
    if (!request.startsWith('HEAD')) expect(read(answer).body).toEqual({ error: expect.any(String) })
    expect(asked).toEqual([])
    expect((await fetch(`${url}/api/status`)).status).toBe(200)
  })

  it('ends a request whose body comes too slowly', async () => {
    const asked: unknown[] = []
    const ask: ApiRequest['ask'] = async (given) => await Promise.resolve(asked.push(given))
    const api = new Api({
      requests: new Map([['pause', { changes: true, ask }]]),
      events: new EventStreams({ told: {}, most: 1 }),
    })
    const listener = new Listener({
      host: '127.0.0.1',
      port: 0,
      connections: 10,
      isOurs: isLoopbackName,
      times: { headersTimeout: 100, requestTimeout: 100, connectionsCheckingInterval: 20 },
      answer: async (request, response) => (await api.answer('/api/pause', request, response)) ?? jsonAnswer(404, {}),
    })
    onTestFinished(async () => await listener.stop())
    await listener.start()
    const answer = await exchanged(listener.url ?? '', `${POST}${JSON_TYPE}Content-Length: 100\r\n\r\n{`)
    expect(read(answer)).toMatchObject({ status: 408, body: { error: expect.any(String) } })
    expect(asked).toEqual([])
  })

  it('looks by GET and changes by POST, and shows nothing secret (P13)', async () => {
    const { asked, url } = await serve()
    const looked = await fetch(`${url}/api/status?id=7`)
    expect([looked.status, await looked.json()]).toEqual([200, { is: 'answered', secret: '[secret]' }])
    expect(looked.headers.get('cache-control')).toBe('no-store')
    const headers = { 'content-type': 'application/json; charset=utf-8', origin: url }
    const changed = await fetch(`${url}/api/pause`, { method: 'POST', headers, body: '{"route":"a"}' })
    expect(changed.status).toBe(200)
    expect(asked).toEqual([{ id: '7' }, { route: 'a' }])
    const wrong = await fetch(`${url}/api/status?id=wrong`)
    expect([wrong.status, await wrong.json()]).toEqual([400, { error: 'this is wrong', code: 'USAGE' }])
  })

  it('names the parameter of a change that stands in its query, and takes a query without any', async () => {
    const { asked, url } = await serve()
    const change = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }
    const refused = await fetch(`${url}/api/pause?route=all`, change)
    expect([refused.status, await refused.json()]).toEqual([
      400,
      { error: 'what changes something has its parameters in the body, as JSON, and none in the query: route' },
    ])
    expect(asked).toEqual([])
    expect((await fetch(`${url}/api/pause?`, change)).status).toBe(200)
  })

  it('needs the token of server.tokenFile where there is one, and beyond loopback there is nothing without', async () => {
    const statusOf = async (url: string, path: string, authorization?: string): Promise<number> =>
      (await fetch(`${url}${path}`, { headers: authorization === undefined ? {} : { authorization } })).status
    const { url } = await serve({ host: '0.0.0.0', token: TOKEN })
    for (const path of ['/api/status', '/api/events', '/api/nothing', '/']) expect(await statusOf(url, path)).toBe(401)
    for (const wrong of [`Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, 'Bearer ', 'Bearer undefined', TOKEN])
      expect(await statusOf(url, '/api/status', wrong)).toBe(401)
    expect(await statusOf(url, '/api/status', `Basic ${btoa(`:${TOKEN}`)}`)).toBe(401)
    expect(await statusOf(url, `/api/status?token=${TOKEN}`)).toBe(401)
    expect(await statusOf(url, '/api/status', `Bearer ${TOKEN}`)).toBe(200)
    const { url: closedToAll } = await serve({ host: '0.0.0.0' })
    expect(await statusOf(closedToAll, '/api/status')).toBe(401)
    expect(await statusOf(closedToAll, '/api/status', 'Bearer undefined')).toBe(401)
    const { url: own } = await serve({ token: TOKEN })
    expect([await statusOf(own, '/api/status'), await statusOf(own, '/api/status', `Bearer ${TOKEN}`)]).toEqual([
      401, 200,
    ])
  })
})

describe('the stream of events', () => {
  const told = { news: { every: 1, text: () => '{"n":1}' } }

  it('tells what there is at once and again each turn, and is not made while nobody reads', async () => {
    let made = 0
    const { streams, url } = await serve({ events: { told: { news: { every: 1, text: () => String((made += 1)) } } } })
    const response = await fetch(`${url}/api/events`)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    while (!/data: 3\n/.test(text)) text += (await reader?.read())?.value ?? ''
    expect(text).toMatch(/^retry: \d+\n\nid: 0\nevent: news\ndata: 1\n\nid: 1\nevent: news\ndata: 2\n\n/)
    await reader?.cancel()
    await until(() => streams.readers === 0, 'the reader has left')
    const after = made
    await new Promise((resolve) => setImmediate(resolve))
    expect(made).toBe(after)
  })

  it('has so many readers at most', async () => {
    const { streams, url } = await serve({ events: { told, most: 2 } })
    const open = await Promise.all([fetch(`${url}/api/events`), fetch(`${url}/api/events`)])
    const third = await fetch(`${url}/api/events`)
    expect([third.status, third.headers.get('retry-after')]).toEqual([503, '10'])
    await open[0]?.body?.cancel()
    await until(() => streams.readers === 1, 'one has left')
    expect((await fetch(`${url}/api/events`)).status).toBe(200)
  })

  it('gives the place of whoever has had it for longest to one that comes, so that readers that stand still keep nobody out', async () => {
    const { streams, url } = await serve({ events: { told, most: 2, keeps: 0 } })
    const [first, second] = [await connected(url), await connected(url)]
    for (const socket of [first, second]) socket.pause().write(`GET /api/events HTTP/1.1\r\n${HOST}\r\n`)
    await until(() => streams.readers === 2, 'both are open')
    const reader = (await fetch(`${url}/api/events`)).body?.getReader()
    const news = await reader?.read()
    expect(new TextDecoder().decode(news?.value)).toContain('retry')
    expect(streams.readers).toBe(2)
    const gone = await Promise.race([first, second].map(async (socket) => (await closed(socket), socket)))
    expect((gone === first ? second : first).closed).toBe(false)
  })

  it('drops a reader that does not keep up, and ends all with the server', async () => {
    const text = JSON.stringify('x'.repeat(500_000))
    const { server, streams, url } = await serve({ events: { told: { news: { every: 1, text: () => text } } } })
    const slow = await connected(url)
    slow.pause().write(`GET /api/events HTTP/1.1\r\n${HOST}\r\n`)
    await until(() => streams.readers === 1, 'it is open')
    await until(() => streams.readers === 0, 'it is dropped')
    slow.destroy()
    const other = await fetch(`${url}/api/events`)
    await server.stop()
    await expect(other.text()).resolves.toContain('event: news')
  })
})

describe('the files of the dashboard', () => {
  it('are there under a policy that lets nothing else in', async () => {
    const { url } = await serve()
    const page = await fetch(url)
    const html = await page.text()
    expect(page.headers.get('content-security-policy')).toMatch(
      /default-src 'none'; script-src 'self'; style-src 'self'/,
    )
    expect(page.headers.get('content-security-policy')).not.toMatch(/unsafe|\*|https?:/)
    expect(html).not.toMatch(/<script(?![^>]* src="\/dashboard\/)|<style|\sstyle=|\son\w+=|https?:/)
    for (const [, path = ''] of html.matchAll(/(?:src|href)="(\/[^"]+)"/g))
      expect((await fetch(url + path)).status).toBe(200)
    const script = await fetch(`${url}/dashboard/main.js`)
    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
  })
})
