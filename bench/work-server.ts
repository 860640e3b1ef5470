/**
 * A service that costs as little as possible, in a process of its own: it gives clinks out, takes their completions, and refuses what
 * another session holds. It is told by messages how many clinks there are, and says when the last of them is completed.
 */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const CONTENT = 'x'.repeat(500)
/** Milliseconds that a claim lasts. */
const LEASE = Number(process.argv[2] ?? 300) * 1_000
/** Milliseconds that an answer takes. */
const LATENCY = Number(process.argv[3] ?? 0)
/** Clinks come from so many senders. */
const SENDERS = Number(process.argv[4] ?? 1)

let given = 0
let until = 0
let completed = 0
let startedAt = 0
let polls = 0
let renewals = 0
const holders = new Map<string, string>()

const record = (id: string, status: string): string => {
  const now = Date.now()
  const times = `"claimed_at":"${new Date(now).toISOString()}","claim_expires_at":"${new Date(now + LEASE).toISOString()}"`
  return `{"clink_id":"${id}","group_id":"g","group_name":"ops","group_slug":"ops","sender_id":"user_${1 + (Number(id.slice(4)) % SENDERS)}","sender_name":"Alice","content":"${CONTENT}","created_at":"2026-01-01T00:00:00Z","status":"${status}","claimed_by":"ap_1",${times}}`
}

function answer(response: ServerResponse, status: number, body: string): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    .end(body)
}

function inbox(query: URLSearchParams, session: string): string {
  if (query.get('claim') !== 'true') return '{"success":true,"data":{"clinks":[],"count":0}}'
  polls += 1
  const limit = Math.min(Number(query.get('limit') ?? 10), until - given)
  const clinks: string[] = []
  for (let count = 0; count < limit; count += 1) {
    const id = `msg_${(given += 1)}`
    holders.set(id, session)
    clinks.push(record(id, 'claimed'))
  }
  return `{"success":true,"data":{"clinks":[${clinks.join(',')}],"count":${clinks.length},"claimed_count":${clinks.length}}}`
}

function act(verb: string, id: string, session: string): [status: number, body: string] {
  const holder = holders.get(id)
  if (holder !== undefined && holder !== session) {
    return [409, '{"success":false,"error":"conflict","message":"another session holds it"}']
  }
  if (verb === 'claim') renewals += 1
  if (verb === 'complete' && holders.delete(id)) {
    completed += 1
    if (completed === until) process.send?.({ seconds: (performance.now() - startedAt) / 1_000, polls, renewals })
  }
  const clink = record(id, verb === 'complete' ? 'completed' : 'claimed')
  return [200, `{"success":true,"data":${verb === 'complete' ? `{"clink":${clink}}` : clink}}`]
}

const server = createServer({ keepAliveTimeout: 5_000 }, (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://bench')
  const session = String(request.headers['x-clink-session-id'])
  const answered = (): void => {
    const [, id = '', verb = ''] = /^\/clinks\/([^/]+)\/(\w+)$/.exec(pathname) ?? []
    if (pathname === '/inbox') answer(response, 200, inbox(searchParams, session))
    else if (verb !== '') answer(response, ...act(verb, id, session))
    else answer(response, 200, '{"success":true,"data":{"groups":[]}}')
  }
  request.resume().once('end', LATENCY === 0 ? answered : () => setTimeout(answered, LATENCY))
})
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('message', (more: number | 'counts') => {
  if (more === 'counts') {
    process.send?.({ held: holders.size, renewals })
    return
  }
  until += more
  polls = 0
  renewals = 0
  startedAt = performance.now()
})
process.on('disconnect', () => process.exit())
