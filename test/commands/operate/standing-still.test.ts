import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { patient, type PatientLink } from '../../../src/commands/terminal/patience.ts'
import { whyUnreached } from '../../../src/commands/terminal/reach-worker.ts'
import { linkToWorker } from '../../../src/control/client.ts'
import { ControlSocket } from '../../../src/control/server.ts'
import type { Cli } from '../../support/cli.ts'
import { leapingClock, type LeapingClock } from '../../support/leaping-clock.ts'
import { handler, logLines, Site } from '../../support/site.ts'
import { TempDir } from '../../support/temp-dir.ts'
import { until } from '../../support/until.ts'

const WISH = { by: 'tests' }
const AWAKE = /^clink-worker: no answer for \S+: the process of the worker stands still: .* \(pid \d+ on .*\)\n$/

/** Lets callers in, and hears nobody. */
async function deafSocket(directory: string): Promise<AsyncDisposable> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => sockets.add(socket.on('error', () => {})))
  await new Promise<void>((resolve) => server.listen(join(directory, 'control.sock'), resolve))
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function linked(directory: string, clock: LeapingClock, said: string[]): Promise<PatientLink> {
  const link = await linkToWorker(directory)
  if (link instanceof Error) throw link
  return patient(link, { directory, told: (line) => void said.push(line) }, clock)
}

test('what is asked of a worker that stands still is said to be waiting after 5 s, and given up after 30 s, with what may come of it', async () => {
  using dir = new TempDir()
  await using _ = await deafSocket(dir.path)
  for (const [ask, then] of [
    [
      async (link: PatientLink) => await link.ask('pause', WISH),
      /it may still do this when its process goes on; .*--audit/,
    ],
    [async (link: PatientLink) => await link.ask('audit', {}), /nothing was changed/],
  ] as const) {
    const [clock, said]: [LeapingClock, string[]] = [leapingClock(), []]
    const link = await linked(dir.path, clock, said)
    const asked = ask(link).catch((error: unknown) => error)
    clock.leap(4_000)
    expect(said).toEqual([])
    // Each leap is seen at the next look: at the silence, then at the look whether anything is answered.
    await until(() => (clock.leap(600), said.length > 0), 'it is said')
    expect(said).toEqual([
      expect.stringMatching(/^no answer for \S+: the process of the worker stands still: .*SIGSTOP/),
    ])
    clock.leap(30_000)
    expect(await asked).toMatchObject({ code: 'UNANSWERED', exitCode: 76, message: expect.stringMatching(then) })
    expect(said).toHaveLength(1)
    await link.close()
  }
})

test('a worker that answers anything else is still at it: it is waited for ten times as long', async () => {
  using dir = new TempDir()
  const slow = Promise.withResolvers<unknown>()
  const isSlow = (request: unknown): boolean => JSON.stringify(request).includes('"reload"')
  const answer = async (request: unknown): Promise<unknown> =>
    isSlow(request) ? await slow.promise : await Promise.resolve({ inHand: 0, isDone: false })
  const socket = new ControlSocket({ directory: dir.path, answer })
  await socket.start()
  const [clock, said]: [LeapingClock, string[]] = [leapingClock(), []]
  const link = await linked(dir.path, clock, said)
  const asked = link.ask('reload', WISH)
  clock.leap(6_000)
  await until(() => said.length > 0, 'it is said')
  expect(said).toEqual([expect.stringMatching(/the worker is alive, and is still at it$/)])
  clock.leap(29_000)
  slow.resolve({ problem: null })
  expect(await asked).toEqual({ problem: null, restart: [], kept: [] })
  await link.close()
  await socket.stop()
})

test('a stop that takes its time is no silence: what is in hand is said, once', async () => {
  using dir = new TempDir()
  for (const [inHand, line] of [
    [2, /^the worker is still stopping after \S+: 2 clinks are in hand$/],
    [0, /^the worker is still stopping after \S+$/],
  ] as const) {
    const ended = Promise.withResolvers<unknown>()
    const answer = async (request: unknown): Promise<unknown> =>
      JSON.stringify(request).includes('"stopped"') ? await ended.promise : { inHand, isDone: false }
    const socket = new ControlSocket({ directory: dir.path, answer })
    await socket.start()
    const [clock, said]: [LeapingClock, string[]] = [leapingClock(), []]
    const link = await linked(dir.path, clock, said)
    const asked = link.ask('stopped', {}, Infinity)
    clock.leap(6_000)
    await until(() => said.length > 0, 'it is said')
    for (let looks = 0; looks < 3; looks += 1) clock.leap(30_000)
    ended.resolve({ leftBehind: [], exit: 0 })
    expect(await asked).toEqual({ leftBehind: [], exit: 0 })
    expect(said).toEqual([expect.stringMatching(line)])
    await link.close()
    await socket.stop()
  }
})

test('who is not even let in hears that the worker stands still, and not that there is none', () => {
  const crowded = Object.assign(new Error('connect EAGAIN'), { code: 'EAGAIN' })
  expect(whyUnreached('/x', crowded)).toMatch(/^the worker of \/x lets nobody in: .*stands still/)
})

/** Until it is continued or killed. */
async function stopped(site: Site, ...args: string[]): Promise<Cli> {
  const worker = site.run(...args)
  await worker.said(/worker\.ready/)
  worker.kill('SIGSTOP')
  return worker
}

test('a pause of a worker whose process was stopped says that it waits, and takes effect when the process goes on', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler('') })
  await using worker = await stopped(site)
  await using pause = site.cli(['pause'])
  await pause.said(/\n/, 'stderr')
  expect(pause.stderr).toMatch(AWAKE)
  expect(pause.stdout).toBe('')
  worker.kill('SIGCONT')
  expect(await pause.ended).toMatchObject({ code: 0, stdout: 'paused: everything, until it is resumed\n' })
})

test('drain --wait and stop --wait of a worker that stands still wait as long as was asked for', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler('') })
  await using worker = await stopped(site)
  const unanswered = { code: 76, stdout: '', stderr: expect.stringMatching(/no answer for .*; it may still do this/) }
  await using drain = site.cli(['drain', '--wait', '--timeout', '500ms'])
  expect(await drain.ended).toMatchObject(unanswered)
  await using stop = site.cli(['stop', '--wait'])
  await stop.said(/\n/, 'stderr')
  expect(stop.stderr).toMatch(AWAKE)
  worker.kill('SIGCONT')
  expect(await stop.ended).toMatchObject({ code: 0, stdout: 'stopped\n' })
  const acts = logLines(worker.stdout).flatMap(({ act, event }) => (event === 'operator.acted' ? [act] : []))
  expect(acts).toEqual(['drain', 'stop'])
})

test('status --audit waits as long as was asked for', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler('') })
  await using worker = await stopped(site)
  await using audit = site.cli(['status', '--audit', '--timeout', '500ms'])
  expect(await audit.ended).toMatchObject({
    code: 76,
    stdout: '',
    stderr: expect.stringMatching(/no answer for .*; nothing was changed\n$/),
  })
  worker.kill('SIGCONT')
})
