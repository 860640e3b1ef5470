import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Site } from '../support/command.ts'
import { pythonProblem } from '../support/python.ts'
import { stillClaimed, times } from '../support/record.ts'
import { completed, failNowAndThen } from '../support/under-faults.ts'
import { until } from '../support/until.ts'

const QUICK = 'poll: { interval: 50ms, maxInterval: 200ms }\n'
const handler = 'export default () => "of the handler"\n'
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

const hasPython = pythonProblem === ''
if (!hasPython) process.stderr.write('no python3 here: Node stands in for the Python application\n')

const examples = join(import.meta.dirname, '../../docs/examples')

/** The application of the examples, as a process of its own. */
async function startApplication(site: Site, port: number): Promise<ChildProcess> {
  const [program, file] = hasPython ? ['python3', 'application.py'] : [process.execPath, 'application.mjs']
  const env = { ...process.env, PORT: String(port), SECRET_FILE: join(site.directory, 'secret') }
  const child = spawn(program, [join(examples, file)], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout ?? child, 'data')
  return child
}

async function end(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

async function open(port: number, settings = ''): Promise<Site> {
  const route = `routes:\n  - { name: application, http: { url: 'http://127.0.0.1:${port}/clinks', secretFile: ./secret } }\n`
  const site = await Site.open({ handler, config: QUICK + settings + route })
  await writeFile(join(site.directory, 'secret'), `${SECRET}\n`)
  return site
}

describe('§4: an application', () => {
  it('in Python works 200 clinks under faults: none is lost, none completed twice', { timeout: 240_000 }, async () => {
    const port = await freePort()
    await using site = await open(port, 'retry: { backoff: 100ms }\n')
    const application = await startApplication(site, port)
    failNowAndThen(site)
    const ids = site.sendMany(200)
    const command = site.start('run', '--concurrency', '8')
    await completed(site, ids, command)
    command.signal('SIGTERM')

    expect(await command.exited, command.output.slice(-3_000)).toBe(0)
    await end(application)
    expect(ids.filter((id) => times(site.emulator, id, 'completed') !== 1)).toEqual([])
    const answered = site.emulator.clinks().filter(({ answers }) => answers !== undefined)
    expect(answered).toHaveLength(200)
    expect(
      answered.filter(({ content }) => !content.startsWith('bob, you wrote 2 words; the longest is task.')),
    ).toEqual([])
    expect(stillClaimed(site.emulator)).toEqual([])
  })

  it(
    'that is away for ten seconds costs no attempt: its route pauses, and its clinks are worked when it is back',
    { timeout: 120_000 },
    async () => {
      const port = await freePort()
      await using site = await open(port, 'retry: { backoff: 100ms, attempts: 1, cooldown: 1s }\n')
      const first = await startApplication(site, port)
      const command = site.start('run')
      await completed(site, site.sendMany(5), command)
      await end(first)
      const ids = site.sendMany(20)
      await until(
        () => command.output.includes('route.paused'),
        () => `its route pauses:\n${command.output}`,
      )
      const awayAt = performance.now()
      await until(() => performance.now() - awayAt > 10_000, 'ten seconds have passed')
      expect(ids.filter((id) => times(site.emulator, id, 'completed') > 0)).toEqual([])
      const second = await startApplication(site, port)
      await completed(site, ids, command)
      command.signal('SIGTERM')

      expect(await command.exited, command.output.slice(-3_000)).toBe(0)
      await end(second)
      expect(command.output).toContain('nothing listens there')
      expect(command.output).not.toContain('clink.deadLettered')
      expect(command.output).not.toContain(SECRET.slice(6))
    },
  )

  it(
    'whose sidecar the worker is may come later and go first: nothing is lost, no attempt counted, and a drain ends what it works (P8, §8)',
    { timeout: 120_000 },
    async () => {
      const port = await freePort()
      await using site = await open(port, 'retry: { backoff: 100ms, attempts: 1, cooldown: 1s }\n')
      const command = site.start('run')
      const early = site.sendMany(5)
      await until(
        () => command.output.includes('route.paused'),
        () => `it finds nobody there:\n${command.output}`,
      )
      expect(await site.start('health', 'live').exited).toBe(0)
      const application = await startApplication(site, port)
      await completed(site, early, command)

      // The pod is to end: the application still answers, and the worker drains.
      const drained = site.start('drain', '--wait', '--timeout', '20s')
      expect(await drained.exited, drained.output).toBe(0)
      expect(await site.start('health', 'live').exited).toBe(0)
      expect(await site.start('health', 'ready').exited).toBe(1)
      const late = site.sendMany(5)
      await end(application)
      command.signal('SIGTERM')

      expect(await command.exited, command.output.slice(-3_000)).toBe(0)
      expect(late.map((id) => times(site.emulator, id, 'claimed'))).toEqual([0, 0, 0, 0, 0])
      expect(stillClaimed(site.emulator)).toEqual([])
      expect(command.output).not.toContain('clink.deadLettered')
    },
  )

  it('that is gone before its sidecar hears of the end costs no attempt, and what was claimed is given back', async () => {
    const port = await freePort()
    await using site = await open(port, 'retry: { attempts: 1 }\n')
    const application = await startApplication(site, port)
    const command = site.start('run')
    await completed(site, site.sendMany(5), command)
    await end(application)
    const ids = site.sendMany(5)
    await until(
      () => command.output.includes('route.paused'),
      () => `it finds nobody there:\n${command.output}`,
    )
    command.signal('SIGTERM')

    expect(await command.exited, command.output.slice(-3_000)).toBe(0)
    expect(ids.map((id) => site.emulator.clink(id)?.status)).toEqual(ids.map(() => 'pending'))
    expect(command.output).not.toContain('clink.deadLettered')
  })
})
