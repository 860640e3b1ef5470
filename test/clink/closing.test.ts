import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { expect, it } from 'vitest'
import { listen } from '../support/loopback.ts'

const client = new URL('../../src/clink/client.ts', import.meta.url).href

/** Runs a script in a process of its own until it ends by itself; its output. */
async function run(script: string): Promise<string> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const [code] = await once(child, 'close')
  return `${output.trim()} ${code}`
}

it('a process ends after its last answer, whether or not the client is closed', async () => {
  const server = createServer({ keepAliveTimeout: 60_000 }, (_, response) =>
    response.end('{"success":true,"data":{"groups":[]}}'),
  )
  const url = await listen(server)
  for (const end of ['client.close()', '']) {
    const ended = await run(`
      const { ClinkClient } = await import(${JSON.stringify(client)})
      const client = new ClinkClient({ key: 'sk_live_u_1', url: ${JSON.stringify(url)} })
      console.log((await client.listGroups()).groups.length)
      const start = performance.now()
      process.on('exit', () => console.log(performance.now() - start < 3_000))
      ${end}
    `)
    expect(ended).toBe('0\ntrue 0')
  }
  server.close()
  server.closeAllConnections()
})

it('closing ends calls and connection attempts under way, and then the process can end', async () => {
  const server = createTcpServer((socket) => socket.on('error', () => undefined).resume())
  const url = await listen(server, 'https')
  const ended = await run(`
    const { ClinkClient } = await import(${JSON.stringify(client)})
    const client = new ClinkClient({ key: 'sk_live_u_1', url: ${JSON.stringify(url)} })
    setTimeout(() => client.close(), 200)
    const start = performance.now()
    console.log(await client.listGroups().catch((error) => error.failure))
    process.on('exit', () => console.log(performance.now() - start < 5_000))
  `)
  expect(ended).toBe('aborted\ntrue 0')
  server.close()
})
