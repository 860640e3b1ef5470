import { expect, test } from 'vitest'
import { statusOutput } from '../../../src/control/status.ts'
import { createServer } from 'node:http'
import type { Cli, Ended } from '../../support/cli.ts'
import { listen } from '../../support/loopback.ts'
import { handler, Site } from '../../support/site.ts'
import { until } from '../../support/until.ts'

async function status(site: Site, ...args: string[]): Promise<Ended> {
  return await site.say('status', ...args)
}

async function json(site: Site) {
  const { stdout } = await status(site, '--json')
  const given: unknown = JSON.parse(stdout)
  // What the schema does not know would be missing.
  const read = statusOutput.parse(given)
  expect(read).toEqual(given)
  if (read.worker === null) throw new Error(stdout)
  return read
}

async function freePort(): Promise<number> {
  const server = createServer()
  const { port } = new URL(await listen(server))
  await new Promise((resolve) => server.close(resolve))
  return Number(port)
}

const LONG = `
  if (clink.content === 'fails') throw new Error('not yet')
  if (clink.content === 'sleeps') await ctx.sleep('night', '1h')
  await new Promise((resolve, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)))`

test('status says what the worker does, as text of 80 columns and as JSON by its schema', async () => {
  await using site = await Site.start({
    'handlers/h.js': handler(LONG),
    'clink-worker.yaml':
      'concurrency: 2\nretry: { backoff: 5m }\nroutes: [{ name: work, use: handlers/h.js, concurrency: 5 }]\n',
  })
  await using worker = site.run()
  await worker.said(/worker\.ready/)
  expect(await json(site)).toMatchObject({
    state: 'idle',
    ready: true,
    alive: true,
    reasons: [],
    next: null,
    deliveries: [],
  })

  for (const text of ['fails', 'sleeps', 'one', 'two', 'three']) {
    site.emulator.send('ops', text)
    if (text !== 'three') await until(() => worker.stdout.split('"clink.started"').length > 1, text)
  }
  await until(async () => (await json(site)).counts.held === 2 && (await json(site)).counts.running === 2, 'all of it')
  await until(async () => (await json(site)).notWorked.length > 0, 'what waits is seen')
  const found = await json(site)
  expect(found).toMatchObject({
    version: 1,
    state: 'working',
    slots: { total: 2, taken: 2 },
    counts: { running: 2, held: 2, deadLetters: 0 },
    next: { why: 'all 2 slots are taken (concurrency)', command: null },
    notWorked: [{ route: 'work', sender: null, why: 'slots', isParked: false, count: 1, left: null }],
    routes: [{ name: 'work', running: 2, held: 2, limits: { concurrency: 5 }, waits: [] }],
    held: expect.arrayContaining([
      { why: 'asleep', count: 1 },
      { why: 'not yet', count: 1 },
    ]),
    key: { isProven: true, refusal: null },
    worker: { pid: expect.any(Number), isOnce: false },
  })
  expect(found.deliveries.map(({ state }) => state).toSorted()).toEqual(['asleep', 'held', 'running', 'running'])
  expect(found.deliveries.every(({ lease }) => lease > 0)).toBe(true)

  const text = await status(site)
  expect(text).toMatchObject({ code: 0, stderr: '' })
  expect(text.stdout).toMatch(/^clink-worker \S+ · working · ready · up \S+/)
  expect(text.stdout).toMatch(/\nin hand +2 running, 0 waiting, 2 held, 0 settling, 0 parked\n/)
  expect(text.stdout).toMatch(/\nwork +2 +0 +2 +0 +5\n/)
  expect(text.stdout).toMatch(/\nNOT WORKED +CLINKS +WHY\nwork +1 +all slots are taken\n/)
  expect(Math.max(...text.stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  expect(text.stdout).not.toContain(site.emulator.key)
})

test('status names what keeps the worker from working, and the command to type', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler('throw new Error("not today")') })
  await using worker = site.run('--set', 'retry.attempts=1', '--set', 'poll.maxInterval=100ms')
  await worker.said(/worker\.ready/)
  const id = site.emulator.send('ops', 'work').clink_id
  await worker.said(/clink\.deadLettered/)
  expect((await status(site)).stdout).toMatch(/\none clink was given up\n {2}→ clink-worker failed list\n/)
  expect((await json(site)).leftAlone.length).toBeLessThanOrEqual(1)
  site.emulator.disconnect()
  await worker.said(/"failures":3/)
  const away = await status(site)
  expect(away.stdout).toMatch(
    / · not ready · up .*\nthe service does not answer as it should: .*\n {2}→ clink-worker check --online\n/,
  )
  expect(away.code).toBe(0)
  await site.emulator.reconnect()
  expect(id).toMatch(/^msg_/)
})

test('status shows where the HTTP server listens, or what keeps it from that', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler(LONG) })
  const shown = async (worker: Cli) => {
    await worker.said(/worker\.ready/)
    const both = [(await json(site)).server, /^http +(.*)$/m.exec((await status(site)).stdout)?.[1]] as const
    worker.kill('SIGTERM')
    await worker.ended
    return both
  }
  const free = await freePort()
  const url = `http://127.0.0.1:${free}`
  {
    await using worker = site.run('--set', 'server.enabled=true', '--set', `server.port=${free}`)
    expect(await shown(worker)).toEqual([{ url, problem: null }, url])
  }
  await using off = site.run('--set', 'server.enabled=false')
  expect(await shown(off)).toEqual([null, 'switched off'])
})

test('status where no worker runs says so, by its exit code as well', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler('') })
  expect(await status(site)).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^no worker listens in .*\n.*\n {2}→ clink-worker run\n$/),
  })
  const none = await status(site, '--json')
  expect(none.code).toBe(1)
  expect(statusOutput.parse(JSON.parse(none.stdout))).toMatchObject({ version: 1, worker: null })
})

test('status --watch goes on, also when the worker goes and comes', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler('') })
  await using watch = site.cli(['status', '--watch', '--json'])
  await watch.said(/"worker":null/)
  {
    await using worker = site.run()
    await watch.said(/"state":"idle"/)
    worker.kill('SIGTERM')
    await worker.ended
  }
  const before = watch.stdout.length
  await until(() => watch.stdout.slice(before).includes('"worker":null'), 'it says that the worker has gone')
})

test('status shows what runs first, and commands that a shell takes as they stand', async () => {
  const name = `it's "x"`
  await using site = await Site.start({
    'handlers/h.js': handler(LONG),
    'clink-worker.yaml': `routes: [{ name: ${JSON.stringify(name)}, use: handlers/h.js }]\n`,
  })
  await using worker = site.run()
  await worker.said(/worker\.ready/)
  for (let n = 0; n < 21; n += 1) site.emulator.send('ops', 'sleeps')
  await until(async () => (await json(site)).counts.held === 21, 'all of them sleep')
  const { clink_id: id } = site.emulator.send('ops', 'one')
  await until(async () => (await json(site)).counts.running === 1, 'it runs')
  expect((await status(site)).stdout).toMatch(new RegExp(String.raw`\nCLINK.*\n${id} +running `))
  await using pause = site.cli(['pause', '--route', name])
  expect(await pause.ended).toMatchObject({ code: 0 })
  expect((await json(site)).next?.command).toBe(String.raw`clink-worker resume --route 'it'\''s "x"'`)
})

test('status of a worker that stands still names the command that names its process, and starts no second one', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler('') })
  await using worker = site.run()
  await worker.said(/worker\.ready/)
  const { pid } = (await json(site)).worker
  worker.kill('SIGSTOP')
  const still = await status(site, '--timeout', '500ms')
  expect(still).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^no answer within 500ms.*\n.*\n {2}→ clink-worker state info\n$/),
  })
  await using info = site.cli(['state', 'info'])
  expect((await info.ended).stdout).toContain(`pid ${pid} `)
  worker.kill('SIGCONT')
})
