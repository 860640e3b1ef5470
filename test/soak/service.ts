/**
 * A Clink that keeps nothing of what is completed, in a process of its own: clinks come to be as room is made for them, so that no backlog grows,
 * and what is left to do is all that it remembers. It is told by messages how many more there are to be, and says when all of them are completed.
 */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { kindOf, SENDERS } from './mix.ts'

/** Pending clinks that an inbox has at most. */
const BACKLOG = 100
/** Whose key the worker has. */
const WORKER = 'ap_1'
/** Milliseconds that a claim lasts where its length is not asked for. */
const LEASE = 4_000

interface Clink {
  readonly id: string
  readonly content: string
  readonly sender: string
  readonly createdAt: number
  claim?: { readonly session: string; readonly at: number; readonly expires: number }
}

const pending = new Map<string, Clink>()
const claimed = new Map<string, Clink>()
let made = 0
let wanted = 0
let sent = 0
let completed = 0
const refused = { conflict: 0, unknown: 0, lapsed: 0 }

function fill(): void {
  while (pending.size < BACKLOG && made < wanted) {
    made += 1
    const kind = kindOf(made)
    const content = `${kind} ${made} ${'x'.repeat(200)}`
    const sender = kind === 'own' ? WORKER : `user_${made % SENDERS}`
    const id = `msg_${made}`
    pending.set(id, { id, content, sender, createdAt: Date.now() })
  }
}

function record({ claim, content, createdAt, id, sender }: Clink, isCompleted = false): object {
  const open = claim === undefined ? 'pending' : 'claimed'
  return {
    clink_id: id,
    group_id: 'g',
    group_name: 'ops',
    group_slug: 'ops',
    sender_id: sender,
    sender_name: sender,
    content,
    created_at: new Date(createdAt).toISOString(),
    status: isCompleted ? 'completed' : open,
    ...(claim && {
      claimed_by: WORKER,
      claimed_at: new Date(claim.at).toISOString(),
      claim_expires_at: new Date(claim.expires).toISOString(),
    }),
  }
}

function take(clink: Clink, session: string, length: number): Clink {
  const at = Date.now()
  clink.claim = { session, at, expires: at + length }
  pending.delete(clink.id)
  claimed.set(clink.id, clink)
  return clink
}

function giveBack(clink: Clink): void {
  delete clink.claim
  claimed.delete(clink.id)
  pending.set(clink.id, clink)
}

function inbox(query: URLSearchParams, session: string): object {
  fill()
  const since = Date.parse(query.get('since') ?? '') || 0
  const limit = Number(query.get('limit') ?? 10)
  const page = [...pending.values()].filter(({ createdAt }) => createdAt >= since).slice(0, limit)
  if (query.get('claim') === 'true') for (const clink of page) take(clink, session, LEASE)
  const clinks = page.map((clink) => record(clink))
  return { clinks, count: clinks.length, ...(query.get('claim') === 'true' && { claimed_count: clinks.length }) }
}

/** Open clinks of the group, by their state. */
function listed(query: URLSearchParams): object {
  const all = query.get('status') === 'claimed' ? claimed : pending
  const clinks = [...all.values()].slice(0, Number(query.get('limit') ?? 50)).map((clink) => record(clink))
  return { clinks, count: clinks.length }
}

type Answer = [status: number, data: object]

function act(verb: string, id: string, session: string, body: Readonly<Record<string, unknown>>): Answer {
  const clink = pending.get(id) ?? claimed.get(id)
  if (clink === undefined) {
    refused.unknown += 1
    return [404, { error: 'not_found', message: `no clink ${id}` }]
  }
  if (clink.claim === undefined ? verb !== 'claim' : clink.claim.session !== session) {
    refused.conflict += 1
    return [409, { error: 'conflict', message: 'another session holds it' }]
  }
  if (verb === 'claim') take(clink, session, Number(body['timeout_seconds'] ?? LEASE / 1_000) * 1_000)
  if (verb === 'release') giveBack(clink)
  if (verb !== 'complete') return [200, record(clink)]
  claimed.delete(id)
  completed += 1
  if (completed === wanted) process.send?.({ completed, sent, ...refused })
  const answered = body['response'] === undefined ? {} : { response_clink_id: `answer_${id}` }
  return [200, { clink: record(clink, true), ...answered }]
}

function send(): Answer {
  sent += 1
  const at = new Date().toISOString()
  const ids = { clink_id: `sent_${sent}`, group_id: 'g', sender_id: WORKER, sender_name: 'worker' }
  return [200, { ...ids, content: 'sent', created_at: at, status: 'pending' }]
}

function answer(response: ServerResponse, [status, data]: Answer): void {
  const text = JSON.stringify(status === 200 ? { success: true, data } : { success: false, ...data })
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    .end(text)
}

const server = createServer({ keepAliveTimeout: 5_000 }, (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://soak')
  const session = String(request.headers['x-clink-session-id'])
  let text = ''
  request.setEncoding('utf8').on('data', (more: string) => (text += more))
  request.once('end', () => {
    const [, id = '', verb = ''] = /^\/clinks\/([^/]+)\/(\w+)$/.exec(pathname) ?? []
    const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>
    if (pathname === '/inbox') answer(response, [200, inbox(searchParams, session)])
    else if (pathname === '/clinks') answer(response, [200, listed(searchParams)])
    else if (verb !== '') answer(response, act(verb, id, session, body))
    else if (pathname.endsWith('/members')) answer(response, [200, { members: [] }])
    else if (request.method === 'POST') answer(response, send())
    else answer(response, [200, { groups: [{ group_id: 'g', name: 'ops', slug: 'ops' }] }])
  })
})
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
setInterval(() => {
  for (const clink of claimed.values()) {
    if (clink.claim === undefined || clink.claim.expires > Date.now()) continue
    refused.lapsed += 1
    giveBack(clink)
  }
}, 1_000)
process.on('message', (more: number | 'left') => {
  if (more === 'left')
    process.send?.({ left: [...pending.values(), ...claimed.values()].map(({ content }) => content.slice(0, 20)) })
  else wanted += more
})
process.on('disconnect', () => process.exit())
