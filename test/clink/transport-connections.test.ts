import { once } from 'node:events'
import { createServer, get, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { connectedAgents } from '../../src/clink/agents.ts'
import { ClinkClient } from '../../src/clink/client.ts'
import { GotTransport } from '../../src/clink/got-transport.ts'
import type { TransportRequest } from '../../src/clink/transport.ts'
import { UndiciTransport } from '../../src/clink/undici-transport.ts'
import { listen } from '../support/loopback.ts'
import * as records from '../support/sample-records.ts'

const cleanUp: (() => void)[] = []
afterEach(() => {
  for (const end of cleanUp.splice(0)) end()
})

interface Setting {
  readonly url: string
  readonly server: Server
  readonly sockets: Set<Socket>
  readonly arrived: Map<string, number>
}

/** Answers everything with a clink, and notes how often each path and body arrived and over which connections. */
async function serve(server = createServer()): Promise<Setting> {
  const sockets = new Set<Socket>()
  const arrived = new Map<string, number>()
  server.on('connection', (socket) => sockets.add(socket))
  server.on('request', (request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const what = `${request.url} ${body}`
      arrived.set(what, (arrived.get(what) ?? 0) + 1)
      response.end(JSON.stringify({ success: true, data: { ...records.clink, clinks: [], count: 0 } }))
    })
  })
  cleanUp.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: await listen(server), server, sockets, arrived }
}

const request: TransportRequest = { method: 'POST', path: '/x', headers: {}, body: '{}', timeout: 10_000 }

describe('a connection', () => {
  it('is kept for the requests that follow', async () => {
    const { url, sockets } = await serve()
    const transport = new GotTransport({ url })
    cleanUp.push(() => transport.close())
    for (let count = 0; count < 5; count += 1) await transport.send(request)
    expect(sockets.size).toBe(1)
  })

  it('is new for each request that asks for a fresh one, and is not kept', async () => {
    const { url, sockets } = await serve()
    const transport = new GotTransport({ url })
    cleanUp.push(() => transport.close())
    await transport.send(request)
    for (let count = 0; count < 3; count += 1) await transport.send({ ...request, fresh: true })
    await transport.send(request)
    expect(sockets.size).toBe(4)
  })

  it('is not used again when the server announces that it closes it at once', async () => {
    const server = createServer({ keepAliveTimeout: 1_000 })
    const { url, sockets } = await serve(server)
    const transport = new GotTransport({ url })
    cleanUp.push(() => transport.close())
    for (let count = 0; count < 3; count += 1) await transport.send(request)
    expect(sockets.size).toBe(3)
  })

  it('is closed by us when it was idle for too long', async () => {
    const { url, sockets } = await serve()
    const agents = connectedAgents(50)
    cleanUp.push(() => agents.destroy())
    const call = get(url, { agent: agents.http })
    const [response] = await once(call, 'response')
    response.resume()
    await once(agents.http, 'free')
    expect(Object.keys(agents.http.freeSockets)).toHaveLength(1)
    const [socket] = sockets
    if (socket === undefined || call.socket === null) throw new Error('there is no connection')
    await Promise.all([once(socket, 'close'), once(call.socket, 'close')])
    expect(Object.keys(agents.http.freeSockets)).toEqual([])
  })

  it('is not closed by us while an answer takes long', async () => {
    const server = createServer((_, response) => void setTimeout(() => response.end('slow'), 200))
    cleanUp.push(() => server.close())
    const agents = connectedAgents(50)
    cleanUp.push(() => agents.destroy())
    const [response] = await once(get(await listen(server), { agent: agents.http }), 'response')
    expect(await response.toArray()).toEqual([Buffer.from('slow')])
  })
})

describe('a connection of the calls that work is made of', () => {
  const claim: TransportRequest = { ...request, line: 'claim' }
  const poll: TransportRequest = { method: 'GET', path: '/x', headers: {}, timeout: 10_000, line: 'poll', fresh: true }

  function undiciTo(url: string): UndiciTransport {
    const transport = new UndiciTransport({ url })
    cleanUp.push(() => transport.close())
    return transport
  }

  it('is kept for the requests that follow, and a fresh one may follow soon', async () => {
    const { url, sockets } = await serve()
    const transport = undiciTo(url)
    for (let count = 0; count < 5; count += 1) {
      await transport.send(claim)
      await transport.send({ ...claim, line: 'complete' })
      await transport.send({ ...claim, line: 'release', fresh: true })
      await transport.send(poll)
      await transport.send({ ...poll, line: 'look', fresh: false })
      await nextTurn()
    }
    expect(sockets.size).toBe(5)
  })

  it('is closed by us, where it is to be fresh, as soon as it was idle for a second', async () => {
    const { url, sockets } = await serve()
    const transport = undiciTo(url)
    await transport.send(poll)
    const [first] = sockets
    if (first === undefined) throw new Error('there is no connection')
    await once(first, 'close')
    await transport.send(poll)
    expect(sockets.size).toBe(2)
  })

  it('is not used again when the server announces that it closes it at once', async () => {
    const { url, sockets } = await serve(createServer({ keepAliveTimeout: 1_000 }))
    const transport = undiciTo(url)
    for (let count = 0; count < 3; count += 1) await transport.send(claim)
    expect(sockets.size).toBe(3)
  })

  it('never has two requests without an answer, there are 64 at most, and polls have their own', async () => {
    const waiting = new Map<Socket, number>()
    const answers: (() => void)[] = []
    const server = createServer(({ socket, url = '' }, response) => {
      waiting.set(socket, (waiting.get(socket) ?? 0) + 1)
      const answer = (): void => {
        waiting.set(socket, (waiting.get(socket) ?? 0) - 1)
        response.end('{}')
      }
      if (url === '/poll') answer()
      else answers.push(answer)
    })
    cleanUp.push(() => {
      server.close()
      server.closeAllConnections()
    })
    const transport = undiciTo(await listen(server))
    const sending = Promise.all(Array.from({ length: 200 }, async () => await transport.send(claim)))
    await vi.waitUntil(() => answers.length === 64)
    await transport.send({ ...poll, path: '/poll' })
    expect(waiting.size).toBe(65)
    for (let count = 0; count < 200; count += 1) {
      await vi.waitUntil(() => answers.length > 0)
      expect(Math.max(...waiting.values())).toBe(1)
      answers.shift()?.()
    }
    await sending
    expect(waiting.size).toBe(65)
  })

  it('is free for a renewal while completions are not answered, and costs nothing where it is waited for in vain (P4)', async () => {
    const arrived: string[] = []
    const sockets = new Set<Socket>()
    const server = createServer(({ url = '' }, response) => {
      arrived.push(url)
      if (url === '/claim') response.end('{}')
    }).on('connection', (socket) => sockets.add(socket))
    cleanUp.push(() => {
      server.close()
      server.closeAllConnections()
    })
    const transport = undiciTo(await listen(server))
    const complete: TransportRequest = { ...request, path: '/complete', line: 'complete' }
    const stuck = Array.from({ length: 64 }, async () => await transport.send(complete).catch(() => undefined))
    await vi.waitUntil(() => arrived.length === 64)
    const late = Array.from({ length: 200 }, async () => await transport.send({ ...complete, timeout: 50 }))
    const ends = await Promise.allSettled(late)
    expect(ends.every((end) => end.status === 'rejected' && end.reason.sent === 'no')).toBe(true)
    expect(await transport.send({ ...claim, path: '/claim' })).toMatchObject({ status: 200 })
    transport.close()
    await Promise.all(stuck)
    expect(arrived).toHaveLength(65)
    expect(sockets.size).toBe(65)
  })

  it('is waited for no longer than the timeout, and then nothing was sent', async () => {
    const arrived: string[] = []
    const server = createServer(({ url = '' }) => void arrived.push(url))
    cleanUp.push(() => {
      server.close()
      server.closeAllConnections()
    })
    const transport = undiciTo(await listen(server))
    const stuck = Array.from({ length: 64 }, async () => await transport.send(claim).catch(() => undefined))
    await vi.waitUntil(() => arrived.length === 64)
    const late = transport.send({ ...claim, path: '/late', timeout: 50 })
    await expect(late).rejects.toMatchObject({ kind: 'timeout', sent: 'no' })
    transport.close()
    await Promise.all(stuck)
    expect(arrived).not.toContain('/late')
  })
})

/** Closes each connection, without a word, shortly after it has answered: often just when the next request comes. */
async function serveHasty(): Promise<Setting> {
  const setting = await serve()
  setting.server.keepAliveTimeout = 0
  setting.server.on('request', (incoming, response) => {
    response.on('finish', () => setTimeout(() => incoming.socket.destroy(), Math.random() * 3))
  })
  return setting
}

describe('against a server that closes idle connections at once', () => {
  it('300 sends: none fails, none arrives twice', { timeout: 60_000 }, async () => {
    const { url, arrived } = await serveHasty()
    const client = new ClinkClient({ key: 'sk_live_u_1', url })
    cleanUp.push(() => client.close())
    for (let count = 0; count < 300; count += 1) {
      await client.sendClink({ group_id: 'g1', content: `number ${count}` })
      if (count % 3 === 0) await new Promise((resolve) => setTimeout(resolve, Math.random() * 4))
    }
    expect(arrived.size).toBe(300)
    expect([...arrived.values()].filter((times) => times !== 1)).toEqual([])
  })

  it('300 claiming polls, each tried once: none fails, none arrives twice', { timeout: 60_000 }, async () => {
    const { url, arrived } = await serveHasty()
    const client = new ClinkClient({ key: 'sk_live_u_1', url })
    cleanUp.push(() => client.close())
    for (let count = 0; count < 300; count += 1) {
      await client.checkInbox({ claim: true, limit: count })
      if (count % 3 === 0) await new Promise((resolve) => setTimeout(resolve, Math.random() * 4))
    }
    expect(arrived.size).toBe(300)
    expect([...arrived.values()].filter((times) => times !== 1)).toEqual([])
  })

  it(
    '300 renewals over kept connections: none fails, because the lost ones are repeated',
    { timeout: 60_000 },
    async () => {
      const { url, arrived, sockets } = await serveHasty()
      const client = new ClinkClient({ key: 'sk_live_u_1', url, attempts: 8, random: () => 0.01 })
      cleanUp.push(() => client.close())
      for (let count = 0; count < 300; count += 1) {
        await client.claimClink({ clink_id: 'msg_1', timeout_seconds: count })
      }
      expect(arrived.size).toBe(300)
      expect(sockets.size).toBeGreaterThan(1)
    },
  )
})
