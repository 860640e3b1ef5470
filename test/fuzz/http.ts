import { connect } from 'node:net'
import * as fc from 'fast-check'
import { requestsByHttp } from '../../src/control/by-http.ts'
import { Access } from '../../src/server/access.ts'
import { Api } from '../../src/server/api.ts'
import { EventStreams } from '../../src/server/event-streams.ts'
import { healthPages } from '../../src/server/health-pages.ts'
import { OperatorServer } from '../../src/server/operator-server.ts'
import { Site } from '../../src/server/site.ts'
import { AskedBench, SAMPLES } from './asked.ts'
import { mutated, mutations } from './mutate.ts'
import type { Note, Part } from './part.ts'

const PATHS = SAMPLES.map(({ request }) => `/api/${String(request).replaceAll('.', '/')}`)
const OTHERS = [
  '/',
  '/livez',
  '/readyz',
  '/api/',
  '/api/events',
  '/main.js',
  '/../package.json',
  '/%2e%2e/x',
  '*',
  '//',
  '',
]
const text = fc.oneof(
  fc.constantFrom(
    '',
    '1',
    '-1',
    '1e999',
    'null',
    'true',
    '[]',
    '{',
    '"',
    '%',
    '%00',
    '%ud800',
    '\u00ff',
    'x'.repeat(9_000),
  ),
  fc.string({ unit: 'grapheme-ascii', maxLength: 12 }),
)
const query = fc.array(
  fc.tuple(fc.constantFrom('id', 'ids', 'after', 'since', 'texts', 'content', '__proto__', 'x'), text),
  {
    maxLength: 3,
  },
)
const body = fc.oneof(
  fc.tuple(fc.constantFrom(...SAMPLES), mutations(3)).map(([sample, changes]) => mutated(sample, changes)),
  fc.json(),
  fc.constantFrom('', 'x'.repeat(150_000)),
)
const asking = fc.record({
  method: fc.constantFrom('GET', 'GET', 'POST', 'POST', 'HEAD', 'OPTIONS', 'PUT', 'G\tT', 'get', '', 'CONNECT'),
  path: fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...PATHS) }, fc.constantFrom(...OTHERS), text),
  query,
  version: fc.constantFrom('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/9.9', ''),
  headers: fc.array(
    fc.tuple(
      fc.constantFrom(
        'host',
        'content-type',
        'origin',
        'expect',
        'connection',
        'upgrade',
        'sec-fetch-site',
        'transfer-encoding',
        'x',
        '',
      ),
      fc.oneof(
        fc.constantFrom('localhost', 'application/json', '100-continue', 'chunked', 'close', 'same-origin'),
        text,
      ),
    ),
    { maxLength: 3 },
  ),
  isPlain: fc.boolean(),
  body,
  /** By how much the length that is told is wrong; null: none is told. */
  lie: fc.option(fc.constantFrom(0, 0, 0, 0, -1, -100)),
})
type Given = typeof asking extends fc.Arbitrary<infer T> ? T : never

/** Milliseconds that a caller waits for the first bytes of an answer. */
const PATIENCE = 20_000

/** Requests to the HTTP server of the worker: no error of its own, and the next caller is served. */
export const http: Part = {
  name: 'http',
  open: async (note) => {
    const bench = await AskedBench.open()
    let url = ''
    const server = new OperatorServer({
      settings: { host: '127.0.0.1', port: 0, allowedHosts: [], isChosen: true },
      pages: healthPages({
        settledLiveness: async () => await Promise.resolve({ alive: true, reasons: [] }),
        readiness: () => ({ ready: true, reasons: [] }),
      }),
      operation: {
        access: new Access({ host: '127.0.0.1', token: undefined }),
        api: new Api({
          requests: requestsByHttp(bench.asked, () => false),
          events: new EventStreams({ told: {}, most: 2 }),
        }),
        site: new Site(),
      },
      redact: (text) => text,
      listening: (at) => (url = at),
      unavailable: () => {},
    })
    await server.start()
    const property = fc.asyncProperty(asking, async (given) => {
      await ask(url, given, note)
      const next = await fetch(`${url}/livez`)
      if (next.status !== 200) throw new Error(`the next caller is told ${next.status}`)
      if (bench.hasEnded) throw new Error('the worker has ended')
    })
    const end = async (): Promise<void> => {
      await server.stop()
      await bench[Symbol.asyncDispose]()
    }
    return { property, end }
  },
}

async function ask(
  url: string,
  { body, headers, isPlain, lie, method, path, query, version }: Given,
  note: Note,
): Promise<void> {
  const asked = query.length === 0 ? path : `${path}?${query.map((pair) => pair.join('=')).join('&')}`
  const length = Buffer.byteLength(body)
  const usual = isPlain ? ['host: localhost', 'content-type: application/json', 'connection: close'] : []
  const told = method === 'GET' || lie === null ? [] : [`content-length: ${Math.max(0, length + lie)}`]
  const lines = [...usual, ...told, ...headers.map((pair) => pair.join(': '))]
  const sent = [`${method} ${asked} ${version}`, ...lines, '', method === 'GET' ? '' : body].join('\r\n')
  const answer = await exchange(url, sent)
  const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]
  if (status === undefined && answer !== '') throw new Error(`no answer of HTTP: ${answer.slice(0, 200)}`)
  if (status?.startsWith('5') === true && status !== '503') throw new Error(answer.slice(0, 1_000))
  note(status ?? 'hung up')
}

/** What is answered to one who then sends nothing more. */
async function exchange(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  let answer = ''
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`nothing within ${PATIENCE} ms`)), PATIENCE)
    socket.setEncoding('latin1').on('data', (part: string) => {
      answer += part
      // A stream of events has no end, and a caller may leave before one.
      if (/\r\n\r\n/.test(answer) && !answer.startsWith('HTTP/1.1 100')) resolve()
    })
    // One that hangs up in the middle of a request has answered before, or does not mean to.
    socket
      .on('error', () => {})
      .on('close', () => {
        clearTimeout(late)
        resolve()
      })
    socket.end(text)
  }).finally(() => socket.destroy())
  return answer
}
