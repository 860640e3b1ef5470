import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Ended } from '../../support/cli.ts'
import { story } from '../../support/record.ts'
import { handler, logLines, Site } from '../../support/site.ts'
import { until } from '../../support/until.ts'

async function say(site: Site, ...args: string[]): Promise<Ended> {
  return await site.say(...args)
}

const RUNS = `
  await new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, Number(clink.content))
    ctx.signal.addEventListener('abort', () => { clearTimeout(timer); reject(ctx.signal.reason) })
  })
  return 'done'`

/** Until there is a file `go`. */
const WAITS = `
  const { existsSync } = await import('node:fs')
  while (!existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 20))
  return 'done'`

/** Takes what begins with an a. */
const FOR_A =
  "import { defineHandler } from 'clink-worker'\nexport default defineHandler({ match: { content: { prefix: 'a' } }, handle: () => 'a' })"

const BY = /\(uid \d+\)/

test('pause holds over a restart, says who and why, and resume ends it', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler("return 'done'") })
  {
    await using worker = site.run()
    await worker.said(/worker\.ready/)
    const paused = await say(site, 'pause', '--note', 'database upgrade')
    expect(paused).toMatchObject({ code: 0, stdout: 'paused: everything, until it is resumed\n', stderr: '' })
    await worker.said(/operator\.acted.*pause.*database upgrade/)
    worker.kill('SIGTERM')
    expect((await worker.ended).code).toBe(0)
  }
  const id = site.emulator.send('ops', 'work').clink_id
  await using worker = site.run()
  const [line] = logLines((await worker.said(/worker\.stillPaused/), worker.stdout)).filter(
    ({ event }) => event === 'worker.stillPaused',
  )
  expect(line).toMatchObject({ by: expect.stringMatching(BY), note: 'database upgrade' })
  const ready = await say(site, 'health', 'ready')
  expect(ready).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^not ready\nit is paused \(by .*: database upgrade\)\n$/),
  })
  expect(story(site.emulator, id)).toEqual(['created'])

  expect(await say(site, 'resume')).toMatchObject({ code: 0, stdout: 'resumed\n' })
  await until(() => site.emulator.clink(id)?.status === 'completed', 'it goes on')
  expect(await say(site, 'resume')).toMatchObject({ code: 0, stdout: 'nothing to resume\n' })
  expect((await say(site, 'health', 'ready')).code).toBe(0)
})

test('pause and resume reach the state directory where no worker runs', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler("return 'done'") })
  const once = async (...args: string[]): Promise<Ended> => {
    await using cli = site.cli(['run', '--once', ...args])
    return await cli.ended
  }
  expect(await say(site, 'pause')).toMatchObject({
    code: 78,
    stderr: expect.stringContaining('no worker has run with it'),
  })
  expect((await once()).code).toBe(0)
  expect(await say(site, 'pause', '--for', '1h')).toMatchObject({
    code: 0,
    stdout: 'paused: everything, for 1h 00m; no worker runs, the next one goes by it\n',
  })
  const id = site.emulator.send('ops', 'work').clink_id
  expect(await once('--log-level', 'info')).toMatchObject({
    code: 75,
    stdout: expect.stringMatching(/worker\.stopping.*it is paused \(by .*for .* more\)/),
  })
  expect(story(site.emulator, id)).toEqual(['created'])
  expect(await say(site, 'resume', '--json')).toMatchObject({
    code: 0,
    stdout: '{"routes":[],"isRunning":false,"was":true}\n',
  })
  expect((await once()).code).toBe(0)
  expect(site.emulator.clink(id)?.status).toBe('completed')
})

test('a route that is paused is named, and one that is not there is refused', async () => {
  await using site = await Site.start({
    'handlers/a.js': FOR_A,
    'handlers/b.js': handler("return 'b'"),
  })
  await using worker = site.run('--set', 'claim.exclusive=true')
  await worker.said(/worker\.ready/)
  const wrong = await say(site, 'pause', '--route', 'A')
  expect(wrong).toMatchObject({
    code: 64,
    stderr: expect.stringMatching(/there is no route "A"; there are: .*\ba\b.*\bb\b/),
  })
  expect(await say(site, 'resume', '--route', 'A')).toMatchObject({ code: 64, stdout: '', stderr: wrong.stderr })
  expect(await say(site, 'resume', '--route', 'b')).toMatchObject({ code: 0, stdout: 'nothing to resume\n' })
  expect((await say(site, 'pause', '--route', 'a')).code).toBe(0)
  const [a, b] = ['a one', 'b one'].map((text) => site.emulator.send('ops', text).clink_id)
  await until(() => site.emulator.clink(b ?? '')?.status === 'completed', 'the other route goes on')
  expect(story(site.emulator, a ?? '')).toEqual(['created'])
  expect(await say(site, 'resume')).toMatchObject({ stdout: 'nothing to resume; still paused: the route a\n' })
  expect((await say(site, 'status')).stdout).toMatch(
    /the route a is paused \(by .*\)\n {2}→ clink-worker resume --route a\n/,
  )
  expect(await say(site, 'resume', '--route', 'a')).toMatchObject({ code: 0, stdout: 'resumed\n' })
  await until(() => site.emulator.clink(a ?? '')?.status === 'completed', 'and so does this one')
})

test('a route that is paused can be resumed when it is there no more', async () => {
  await using site = await Site.start({
    'handlers/a.js': FOR_A,
    'handlers/b.js': handler("return 'b'"),
  })
  await using worker = site.run()
  await worker.said(/worker\.ready/)
  expect((await say(site, 'pause', '--route', 'a')).code).toBe(0)
  await rm(join(site.dir.path, 'handlers/a.js'))
  const kept = 'a pause is kept for the route a, which is not there'
  const command = 'clink-worker resume --route a'
  expect(await say(site, 'reload')).toMatchObject({ code: 0, stdout: `reloaded\n${kept}: \`${command}\` ends it\n` })
  expect(JSON.parse((await say(site, 'reload', '--json')).stdout)).toMatchObject({ kept: ['a'] })
  const lines = logLines((await worker.said(/worker\.stillPaused/), worker.stdout))
  expect(lines.filter(({ event }) => event === 'worker.stillPaused')).toMatchObject([
    { handler: 'a', by: expect.stringMatching(BY), advice: expect.stringContaining(`\`${command}\``) },
  ])
  const { stdout } = await say(site, 'status')
  expect(stdout).toContain(`\n${kept} (by `)
  expect(stdout).toContain(`)\n  → ${command}\n`)
  expect(JSON.parse((await say(site, 'status', '--json')).stdout)).toMatchObject({
    pauses: [{ route: 'a', hasRoute: false }],
  })
  expect(await say(site, 'resume', '--route', 'a')).toMatchObject({ code: 0, stdout: 'resumed\n' })
  expect((await say(site, 'resume', '--route', 'a')).code).toBe(64)
})

test('drain --wait returns when nothing is in hand; the process stays, is not ready, and can be resumed or stopped', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler(WAITS) })
  await using worker = site.run()
  await worker.said(/worker\.ready/)
  const id = site.emulator.send('ops', 'first').clink_id
  await worker.said(/clink\.started/)
  const short = await say(site, 'drain', '--wait', '--timeout', '100ms')
  expect(short).toMatchObject({ code: 1, stdout: 'draining: 1 in hand\n' })
  await using waits = site.cli(['drain', '--wait'])
  await site.dir.write({ go: '' })
  expect(await waits.ended).toMatchObject({ code: 0, stdout: 'drained: nothing is in hand\n' })
  expect(story(site.emulator, id)).toEqual(['created', 'claimed', 'completed'])
  const later = site.emulator.send('ops', 'later').clink_id
  expect((await say(site, 'health', 'ready')).code).toBe(1)
  expect((await say(site, 'health', 'live')).code).toBe(0)
  expect((await say(site, 'status')).stdout).toMatch(/· drained · not ready ·/)
  expect(story(site.emulator, later)).toEqual(['created'])
  expect((await say(site, 'resume')).stdout).toBe('resumed\n')
  await until(() => site.emulator.clink(later)?.status === 'completed', 'it goes on')
  expect(await say(site, 'stop', '--wait', '--note', 'moving it')).toMatchObject({ code: 0, stdout: 'stopped\n' })
  expect((await worker.ended).code).toBe(0)
  expect(worker.stdout).toMatch(/worker\.stopping.*asked for it: moving it/)
})

test('drain --wait is done when the worker has ended meanwhile, as by a signal', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler(RUNS) })
  await using worker = site.run()
  await worker.said(/worker\.ready/)
  site.emulator.send('ops', '20000')
  await worker.said(/clink\.started/)
  await using drain = site.cli(['drain', '--wait'])
  await worker.said(/operator\.acted.*drain/)
  worker.kill('SIGTERM')
  worker.kill('SIGTERM')
  await until(() => (worker.kill('SIGTERM'), worker.stdout.includes('worker.stopped')), 'it has stopped', 30_000)
  expect(await drain.ended).toMatchObject({ code: 0, stdout: 'drained: nothing is in hand\n', stderr: '' })
})

test('cancel aborts one run, and says when it is too late', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler(RUNS) })
  await using worker = site.run()
  await worker.said(/worker\.ready/)
  const ids = ['20000', '20001'].map((text) => site.emulator.send('ops', text).clink_id)
  await until(() => worker.stdout.split('clink.started').length > 2, 'both run')
  const [one = '', other = ''] = ids
  expect(await say(site, 'cancel', one, '--note', 'wrong target')).toMatchObject({
    code: 0,
    stdout: `${one}: its handler is aborted, and the clink given back when that has ended\n`,
  })
  await until(() => story(site.emulator, one).includes('released'), 'it is given back')
  expect(await say(site, 'cancel', other, '--reject')).toMatchObject({ code: 0 })
  await until(async () => (await say(site, 'failed', 'list')).stdout.includes(other), 'it is given up')
  expect((await say(site, 'failed', 'list')).stdout).toMatch(/cancelled by .*\(uid \d+\)/)
  expect(await say(site, 'cancel', other)).toMatchObject({ code: 1, stdout: expect.stringContaining('is not in hand') })
  expect((await say(site, 'cancel', one, '--release', '--reject')).code).toBe(64)
})

test('reload and log-level do what they say, and say what is wrong', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler("return 'old'"), 'clink-worker.yaml': '' })
  await using worker = site.cli(['run', '--set', 'poll.interval=50ms', '--set', 'poll.maxInterval=100ms'])
  await worker.said(/worker\.ready/)
  await site.dir.write({ 'handlers/h.js': handler('return (') })
  expect(await say(site, 'reload')).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^not reloaded, what was in use stays: .*h\.js/),
  })
  await site.dir.write({ 'handlers/h.js': handler("return 'new'") })
  expect(await say(site, 'reload')).toMatchObject({ code: 0, stdout: 'reloaded\n' })
  await worker.said(/handlers\.loaded/)

  expect(worker.stdout).not.toMatch(/poll\.succeeded/)
  expect(await say(site, 'log-level', 'trace', '--for', '1m')).toMatchObject({
    code: 0,
    stdout: 'the log shows trace and above for 1m 00s\n',
  })
  await worker.said(/poll\.succeeded/)
  expect(await say(site, 'log-level', 'loud')).toMatchObject({ code: 64 })
})

test('a reload that failed is shown until one succeeds, each mistake in its place, and what takes a restart is named', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler("return 'old'"), 'clink-worker.yaml': '' })
  await using worker = site.run()
  await worker.said(/worker\.ready/)
  const reloadOf = async (): Promise<unknown> =>
    (JSON.parse((await say(site, 'status', '--json')).stdout) as { reload: unknown }).reload
  expect(await reloadOf()).toBe(null)

  await site.dir.write({ 'clink-worker.yaml': 'concurency: 2\nroutes: 7\n' })
  const mistakes = [
    'clink-worker.yaml:1:1: concurency: unknown key; did you mean concurrency?',
    'clink-worker.yaml:2:9: ',
  ]
  const lines = (await say(site, 'reload')).stdout.split('\n')
  expect(lines).toEqual([
    'not reloaded, what was in use stays:',
    ...mistakes.map((mistake) => expect.stringContaining(mistake)),
    '',
  ])
  const problem = lines.slice(1, 3).map((line) => line.trim())
  const failed = { problem: problem.join('\n'), since: expect.stringMatching(/^\d{4}-.*Z$/) }
  expect(await reloadOf()).toEqual(failed)
  const said = `the last reload failed, and what was in use before stays: ${problem[0]}; and 1 more`
  expect((await say(site, 'status')).stdout.split('\n').slice(1, 3)).toEqual([said, '  → clink-worker check'])
  const { stdout: audit } = await say(site, 'status', '--audit')
  expect(audit).toContain(problem.join('; '))

  await site.dir.write({ 'clink-worker.yaml': 'concurrency: 2\nserver: { port: 1 }\nstate: { sync: full }\n' })
  expect((await say(site, 'reload')).stdout).toBe('reloaded; what takes a restart: state.sync, server.port\n')
  expect(JSON.parse((await say(site, 'reload', '--json')).stdout)).toEqual({
    problem: null,
    restart: ['state.sync', 'server.port'],
    kept: [],
  })
  expect(await reloadOf()).toBe(null)
})

test('what operators did is kept, and shown with the worker running or not', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler('throw new Error("not today")') })
  const retry = ['--set', 'retry.attempts=1']
  {
    await using worker = site.run(...retry)
    await worker.said(/worker\.ready/)
    expect((await say(site, 'status', '--audit')).stdout).toBe('no operator has done anything\n')
    const id = site.emulator.send('ops', 'work').clink_id
    await worker.said(/clink\.deadLettered/)
    await say(site, 'pause', '--for', '1h', '--note', 'looking at "it"')
    await say(site, 'failed', 'discard', id)
    await say(site, 'log-level', 'info', '--for', '10m')
    await say(site, 'reload')
    await say(site, 'drain')
    await say(site, 'stop', '--wait')
    const { stdout } = await say(site, 'status', '--audit', '--json')
    const acts: readonly Record<string, string>[] = JSON.parse(stdout)
    expect(acts.map(({ act }) => act)).toEqual(['pause', 'discard', 'log-level', 'reload', 'drain', 'stop'])
    expect(acts[0]).toMatchObject({ by: expect.stringMatching(BY), note: 'looking at "it"', outcome: 'for 1h 00m' })
    expect(acts[1]).toMatchObject({ about: id })
    expect(acts[2]).toMatchObject({ about: 'info' })
  }
  await say(site, 'resume')
  const { stdout } = await say(site, 'status', '--audit')
  expect(stdout.split('\n').filter(Boolean)).toHaveLength(8)
  expect(stdout).toMatch(/Z {2}\S.* {2}pause {6}for 1h 00m · "looking at "it""/)
})

test('where no worker runs, what needs one says so', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler('') })
  for (const args of [['drain'], ['stop'], ['cancel', 'msg_1'], ['reload'], ['log-level', 'debug']])
    expect(await say(site, ...args)).toMatchObject({
      code: 75,
      stderr: expect.stringContaining('no worker listens in '),
    })
})
