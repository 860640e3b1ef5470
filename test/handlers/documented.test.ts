import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { parse } from 'yaml'
import type { HandlerDefinition } from '../../src/handlers/handler.ts'
import { testWorker } from '../../src/testing/index.ts'
import { projectOf, ROOT, snippetsOf, type Snippet } from '../support/documented.ts'
import { pythonProblem } from '../support/python.ts'
import { until } from '../support/until.ts'
import { HOUR, MINUTE, VirtualBench } from '../support/virtual.ts'

const run = promisify(execFile)

let snippets: readonly Snippet[] = []
beforeAll(async () => {
  snippets = await snippetsOf('handlers.md')
})

/** An HTTP server on loopback, for a test. @returns its address. */
async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return String(typeof address === 'object' ? address?.port : '')
}

async function listens(port: string): Promise<boolean> {
  const socket = connect(Number(port), '127.0.0.1')
  const isThere = await once(socket, 'connect').then(
    () => true,
    () => false,
  )
  socket.destroy()
  return isThere
}

const text = (content: string): string => content.split('\n— clink-worker')[0] ?? ''

it('docs/handlers.md: its TypeScript compiles', { timeout: 120_000 }, async () => {
  const cwd = await projectOf(snippets)
  await symlink(join(ROOT, 'node_modules/@types'), join(cwd, 'node_modules/@types'))
  const options = {
    strict: true,
    target: 'es2024',
    module: 'nodenext',
    noEmit: true,
    types: ['node'],
    skipLibCheck: true,
  }
  const compilerOptions = { ...options, allowImportingTsExtensions: true }
  await writeFile(join(cwd, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['**/*.ts'] }))
  await run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', cwd], { cwd }).catch((error: { stdout?: string }) =>
    expect.fail(error.stdout ?? 'tsc failed'),
  )
})

describe('docs/handlers.md: its handlers', () => {
  it('greet, book, count, ask a model and order', async () => {
    const said: string[] = []
    const model = await serve((_, response) => {
      for (const words of ['be', 'cause'])
        response.write(`data: ${JSON.stringify({ choices: [{ delta: { content: words } }] })}\n\n`)
      response.end('data: [DONE]\n')
    })
    const shop = await serve((request, response) => {
      said.push(`${request.method} ${request.url} ${String(request.headers['idempotency-key'])}`)
      response.end(request.method === 'POST' ? '17' : 'it is there')
    })
    const cwd = await projectOf(snippets)
    vi.stubEnv('MODEL_URL', model)
    vi.stubEnv('SHOP_URL', shop)
    vi.stubEnv('BOOKS', join(cwd, 'books.db'))
    const clinks = ['good morning', 'book a table', 'is 91 prime', 'ask why', 'order bolt']
    await using worker = await testWorker({ handlers: join(cwd, 'handlers'), clinks })
    const ends = []
    for (const id of worker.ids) ends.push(await worker.settled(id))
    expect(ends.map(({ outcome, response = '' }) => [outcome, text(response)])).toEqual([
      ['completed', 'Hello bob, you said: good morning'],
      ['completed', 'a table is booked'],
      ['completed', 'no, 7 divides it'],
      ['completed', 'because'],
      ['completed', 'it is there'],
    ])
    const [key] = worker.ids.slice(4)
    expect(said).toEqual([`POST /orders?part=bolt ${key}`, `GET /orders/17 ${key}`])
    expect(worker.sent.map(({ content }) => text(content))).toContain('ordered, its number is 17')
    expect(worker.elapsed).toBeGreaterThan(2 * 3_600_000)
  })
})

it('docs/handlers.md: a step that is renamed as it says is not done again', async () => {
  const asked: string[] = []
  vi.stubGlobal('fetch', async (url: string, { method }: { method: string }) => {
    asked.push(`${method} ${new URL(url).pathname}`)
    return await Promise.resolve(new Response('17'))
  })
  onTestFinished(() => void vi.unstubAllGlobals())
  const cwd = await projectOf(snippets)
  const load = async (file: string): Promise<HandlerDefinition> => {
    const loaded = (await import(join(cwd, file))) as { default: HandlerDefinition }
    return loaded.default
  }
  let order = await load('handlers/order.ts')
  const bench = new VirtualBench({ handle: async (clink, ctx) => await order.handle(clink, ctx) })
  const id = bench.send('order bolt')
  await bench.pass(MINUTE)
  order = await load('renamed/order.ts')
  await bench.pass(3 * HOUR)
  await bench.stop()

  expect(bench.emulator.clink(id)?.status).toBe('completed')
  expect(asked).toEqual(['POST /orders', 'GET /orders/17'])
})

it('docs/handlers.md: every file that it shows is in one of these tests', () => {
  expect(snippets.flatMap(({ name }) => name ?? []).toSorted()).toEqual([
    'application.mjs',
    'backup.sh',
    'handlers/ask.ts',
    'handlers/book.ts',
    'handlers/hello.ts',
    'handlers/order.ts',
    'handlers/prime.ts',
    'renamed/order.ts',
    'sum.py',
  ])
})

describe('docs/handlers.md: its routes', () => {
  /** What the blocks of configuration say, one after the other; the port is the application's. */
  function configuration(port: string): unknown {
    const routes = snippets
      .filter(({ language, code }) => language === 'yaml' && code.startsWith('routes:'))
      .flatMap(({ code }) => (parse(code.replaceAll('8080', port)) as { routes: { name: string }[] }).routes)
    const last = routes.findIndex(({ name }) => name === 'anything else')
    return { routes: [...routes.toSpliced(last, 1), ...routes.slice(last, last + 1)] }
  }

  it('run the programs and ask the application', { timeout: 60_000 }, async (context) => {
    context.skip(pythonProblem !== '', `python3 is not there: ${pythonProblem}`)
    const cwd = await projectOf(snippets)
    const port = await freePort()
    const application = spawn(process.execPath, ['application.mjs'], { cwd, env: { ...process.env, PORT: port } })
    onTestFinished(() => void application.kill('SIGKILL'))
    await until(async () => await listens(port), 'it listens')
    await mkdir(join(cwd, 'bin'))
    await writeFile(
      join(cwd, 'bin/clink-worker'),
      `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, 'dist/cli.js')}" "$@"\n`,
    )
    for (const file of ['backup.sh', 'bin/clink-worker']) await chmod(join(cwd, file), 0o755)
    vi.stubEnv('PATH', `${join(cwd, 'bin')}:${process.env['PATH']}`)
    await writeFile(join(cwd, 'secret'), 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')
    const config = join(cwd, 'clink-worker.yaml')
    await writeFile(config, JSON.stringify(configuration(port)))
    const clinks = ['sum 1 2.5', 'back up now', 'note this', 'sign that', 'hello there']
    await using worker = await testWorker({ handlers: join(cwd, 'handlers'), config, clinks })
    const ends = []
    for (const id of worker.ids) ends.push(await worker.settled(id))
    expect(ends.map(({ outcome, response = '', reason }) => [outcome, reason ?? text(response)])).toEqual([
      ['completed', 'bob, that makes 3.5'],
      ['completed', expect.stringMatching(/^\d{4}-\d\d-\d\d-\d{6}\.tar is written$/)],
      ['completed', `bob, it is noted as ${worker.ids[2]}`],
      ['completed', `bob, it is noted as ${worker.ids[3]}`],
      ['completed', 'Hello bob, you said: hello there'],
    ])
  })
})
