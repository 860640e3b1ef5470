import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { HandlerError } from '../../src/handlers/handler-error.ts'
import type { HandlerSet, LoadHandlersOptions } from '../../src/handlers/registry.ts'
import { answer, clink, directoryWith, load, problemsOf, writeFiles } from '../support/handler-files.ts'
import { reloadInThread } from '../support/reload-in-thread.ts'

/** Counts in the thread that it is in how often its top level has run. */
const counting = (name: string, definition: string): string =>
  `globalThis[${JSON.stringify(name)}] = (globalThis[${JSON.stringify(name)}] ?? 0) + 1\nexport default ${definition}`
const counted = (name: string): unknown => Reflect.get(globalThis, name)

const IN_THREAD =
  "{ runner: 'thread', match: { content: /^work (?<what>\\w+)/i }, timeout: '5m', rate: '3/1m', handle() {} }"

async function reload(cwd: string, inUse: HandlerSet, options: Partial<LoadHandlersOptions> = {}) {
  return await load(cwd, { inUse, generation: inUse.generation + 1, ...options })
}

describe('a reload of a handler that runs in threads', () => {
  it('runs nothing of it in the main thread, nor of what only it imports', async () => {
    const cwd = await directoryWith({
      'handlers/a.js': `import '../lib/a.js'\n${counting('reloadA', IN_THREAD)}`,
      'lib/a.js': counting('reloadLibA', '1'),
      'handlers/b.js': counting('reloadB', "{ match: { group: 'b' }, handle: () => 'b' }"),
    })
    const first = await load(cwd)
    const second = await reload(cwd, first)
    await reload(cwd, second)
    expect(['reloadA', 'reloadLibA', 'reloadB'].map(counted)).toEqual([1, 1, 3])
    const facts = (set: HandlerSet) =>
      set.routes.map(({ file, limits, name, target, timeout }) => ({ file, limits, name, runs: target.is, timeout }))
    expect(facts(second)).toEqual(facts(first))
    expect(second.described.map(({ match }) => match)).toEqual(first.described.map(({ match }) => match))
    expect([...second.files]).toEqual([...first.files])
    const text = clink({ content: 'Work hard' })
    expect((await second.find(text, undefined))?.match).toEqual((await first.find(text, undefined))?.match)
  })

  it('hands threads all that it has read', async () => {
    const cwd = await directoryWith({
      'handlers/a.ts': `import '../lib/a.ts'\nexport default ${IN_THREAD}`,
      'lib/a.ts': '',
    })
    const first = await load(cwd)
    const snapshots = [first, await reload(cwd, first)].map(({ routes }) => {
      const target = routes[0]?.target
      if (target?.is !== 'thread') throw new Error('it does not run in a thread')
      const { modules, url } = target
      const plain = (text: string): string => text.replaceAll(`=${modules.tag}`, '')
      const sources = [...modules.sources].map(
        ([at, { source }]) => [plain(at), Buffer.from(source as Uint8Array).toString()] as const,
      )
      return {
        url: plain(url),
        roots: modules.roots,
        resolved: [...modules.resolved.keys()].map(plain).sort(),
        sources,
      }
    })
    expect(snapshots[1]).toEqual(snapshots[0])
  })

  it('imports it where it is to run in this thread from now on', async () => {
    const cwd = await directoryWith({ 'handlers/a.js': `export default ${IN_THREAD}` })
    const first = await load(cwd)
    await writeFiles(cwd, { 'handlers/a.js': "export default { runner: 'inline', handle: () => 'here' }" })
    expect(await answer(await reload(cwd, first))).toBe('here')
    await writeFiles(cwd, { 'clink-worker.yaml': 'routes: [{ name: a, use: handlers/a.js, runner: inline }]' })
    await writeFiles(cwd, { 'handlers/a.js': "export default { runner: 'thread', handle: () => 'by its route' }" })
    expect(await answer(await reload(cwd, first))).toBe('by its route')
  })

  it('goes on in a new thread after a module that has ended its own, or has kept it', async () => {
    const definition = "{ match: { group: 'x' }, handle() {} }"
    const cwd = await directoryWith({
      'handlers/a.js': `while (true);\nexport default ${definition}`,
      'handlers/b.js': `import 'parcel'\nexport default ${definition}`,
      'handlers/c.js': `export default ${definition}`,
      'handlers/d.js': 'export default 5',
      'node_modules/parcel/package.json': '{ "name": "parcel", "type": "module", "exports": "./main.js" }',
      'node_modules/parcel/main.js': 'process.exit(3)',
    })
    expect(await problemsOf(reloadInThread(cwd, { importTimeout: 3_000 }))).toEqual([
      'handlers/a.js: was not loaded after 3s; does an await at its top level never end?',
      'handlers/b.js: ended the process while it was loaded',
      expect.stringMatching(/^handlers\/d\.js: the default export is a number/),
    ])
  })

  it.each([
    ['rejects', '\nPromise.reject(new Error("boom"))'],
    ['throws later, before it is loaded', '\nprocess.nextTick(() => { throw new Error("boom") })'],
  ])('is refused where its top level %s and nothing catches that', async (_, code) => {
    const cwd = await directoryWith({ 'handlers/a.js': `${code}\nexport default () => 1` })
    expect(await problemsOf(reloadInThread(cwd))).toEqual(['handlers/a.js:2: threw while it was loaded: Error: boom'])
  })

  it.each([
    ['its rules cannot be copied', 'class Own extends RegExp {}', "new Own('x')"],
    ['its top level does what threads may not', "process.chdir('.')", '/x/'],
  ])('imports it into the main thread as well where %s', async (_, first, content) => {
    const name = `reload${content}`
    const handler = `{ runner: 'thread', match: { content: ${content} }, handle() {} }`
    const set = await reloadInThread(await directoryWith({ 'handlers/a.js': `${first}\n${counting(name, handler)}` }))
    expect([counted(name), set.routes.map(({ target }) => target.is)]).toEqual([1, ['thread']])
  })

  it('leaves nothing at work that the top level has begun', async () => {
    const cwd = await directoryWith({
      'handlers/a.js': `
        import { once } from 'node:events'
        import { createServer } from 'node:net'
        import { writeFileSync } from 'node:fs'
        const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1')
        await once(server, 'listening')
        writeFileSync(new URL('../port', import.meta.url), String(server.address().port))
        export default ${IN_THREAD}`,
    })
    await reloadInThread(cwd)
    const port = Number(await readFile(join(cwd, 'port'), 'utf8'))
    await vi.waitFor(async () => {
      const socket = connect(port, '127.0.0.1')
      await expect(once(socket, 'connect').finally(() => socket.destroy())).rejects.toThrow('ECONNREFUSED')
    }, 10_000)
  })

  it('is not disturbed by what a module sends', async () => {
    const sends =
      "import { parentPort } from 'node:worker_threads'\nfor (const one of ['up', null, {}]) parentPort?.postMessage(one)"
    const cwd = await directoryWith({ 'handlers/a.js': `${sends}\nexport default ${IN_THREAD}` })
    expect((await reloadInThread(cwd)).routes).toHaveLength(1)
  })

  it('names the files that take part although it has failed, those of a module that never comes back included', async () => {
    const cwd = await directoryWith({
      'handlers/a.js': "import '../lib/a.js'\nexport default 1",
      'lib/a.js': 'while (true);',
    })
    const error = await reloadInThread(cwd, { importTimeout: 3_000 }).catch((thrown: unknown) => thrown)
    if (!(error instanceof HandlerError)) throw new Error('it was loaded')
    expect([...error.files.keys()].sort()).toEqual(['handlers/a.js', 'lib/a.js'].map((file) => join(cwd, file)))
  })

  it('ends when nobody waits for it any more', async () => {
    const cwd = await directoryWith({ 'handlers/a.js': 'while (true);' })
    const stopped = new AbortController()
    const loading = problemsOf(reloadInThread(cwd, { signal: stopped.signal }))
    stopped.abort()
    expect(await loading).toHaveLength(1)
  })

  it('imports into this thread where the test kit has it', async () => {
    const cwd = await directoryWith({ 'handlers/a.js': counting('reloadKit', IN_THREAD) })
    const first = await load(cwd, { inline: true })
    await reload(cwd, first, { inline: true })
    expect(counted('reloadKit')).toBe(2)
  })
})
