import { createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { TransportError, type TransportRequest } from '../../src/clink/transport.ts'
import { listen } from '../support/loopback.ts'
import { Chance } from '../simulation/chance.ts'
import { transports, type ClosableTransport } from '../support/transports.ts'

const cleanUp: (() => void)[] = []
afterEach(() => {
  for (const end of cleanUp.splice(0)) end()
})

const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'
const chance = new Chance(7)
const random = (): number => chance.next()

/** Ends a connection in one of the ways in which they end. */
function kill(socket: Socket): void {
  if (random() < 0.5) socket.resetAndDestroy()
  else socket.destroy()
}

/** Ends connections at any moment: at once, between two requests, before an answer and in it. Tells which requests reached it. */
async function serveChaos(): Promise<{ readonly url: string; readonly arrived: Set<string> }> {
  const arrived = new Set<string>()
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => undefined).on('close', () => open.delete(socket))
    if (random() < 0.05) kill(socket)
    if (random() < 0.2) setTimeout(() => kill(socket), random() * 5)
    socket.on('data', (bytes: Buffer) => {
      for (const [, id] of bytes.toString().matchAll(/^POST \/(\d+) /gm)) arrived.add(id ?? '')
      const fate = random()
      if (fate < 0.1) kill(socket)
      else if (fate < 0.15) socket.write(ANSWER.slice(0, Math.floor(random() * ANSWER.length)), () => kill(socket))
      else if (fate < 0.3) socket.write(ANSWER, () => kill(socket))
      else socket.write(ANSWER)
    })
  })
  cleanUp.push(() => {
    server.close()
    for (const socket of open) socket.destroy()
  })
  return { url: await listen(server), arrived }
}

/** Sends requests with the ids from `from` to `until`, one after the other; the ids of those that were `sent: 'no'`, and of the answered. */
async function sendAll(
  transport: ClosableTransport,
  from: number,
  until: number,
): Promise<{ readonly unsent: string[]; readonly answered: string[] }> {
  const unsent: string[] = []
  const answered: string[] = []
  for (let id = from; id < until; id += 1) {
    try {
      const line: Partial<TransportRequest> = id % 2 === 0 ? { line: 'claim' } : { fresh: true, line: 'release' }
      const timeout = random() < 0.1 ? 2 : 5_000
      await transport.send({ method: 'POST', path: `/${id}`, headers: {}, body: '{}', timeout, ...line })
      answered.push(String(id))
    } catch (error) {
      if (!(error instanceof TransportError)) throw error
      if (error.sent === 'no') unsent.push(String(id))
    }
  }
  return { unsent, answered }
}

describe.each(transports)('over $name', ({ make, name }) => {
  const count = name === 'undici' ? 10_000 : 2_000
  it(
    `of ${count} requests to a server that kills connections none is said to be unsent that arrived`,
    { timeout: 120_000 },
    async () => {
      const { arrived, url } = await serveChaos()
      const transport = make({ url })
      cleanUp.push(() => transport.close())
      const share = count / 20
      const ends = await Promise.all(
        Array.from({ length: 20 }, async (_, n) => await sendAll(transport, n * share, (n + 1) * share)),
      )
      const unsent = ends.flatMap((end) => end.unsent)
      const answered = ends.flatMap((end) => end.answered)
      expect(unsent.filter((id) => arrived.has(id))).toEqual([])
      expect(answered.filter((id) => !arrived.has(id))).toEqual([])
      // Most come through, and many do not.
      expect(answered.length).toBeGreaterThan(count / 2)
      expect(count - answered.length).toBeGreaterThan(count / 20)
    },
  )
})
