import { chmodSync, cpSync, existsSync, statSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ControlSocket, controlPath } from '../../../src/control/server.ts'
import { openState } from '../../../src/journal/state.ts'
import type { Cli, Ended } from '../../support/cli.ts'
import { handler, Site } from '../../support/site.ts'
import { TempDir } from '../../support/temp-dir.ts'

// Fails until a file of the clink's name is there.
const untilMarked = `import { existsSync } from 'node:fs'\n${handler(`
  if (!existsSync(clink.content.split(' ')[0])) throw new Error('no marker for ' + clink.clink_id)
  return 'done now'
`)}`
const ONCE = ['run', '--once', '--set', 'retry.attempts=1', '--set', 'poll.interval=50ms']

/** A site whose worker has given up on two clinks, and their ids. */
async function givenUp(...settings: string[]): Promise<{ site: Site; one: string; two: string }> {
  const site = await Site.start({ 'handlers/h.js': untilMarked })
  const one = site.emulator.send('ops', 'one secret').clink_id
  const two = site.emulator.send('ops', 'two secret').clink_id
  await using worker = site.cli([...ONCE, ...settings])
  expect(await worker.ended).toMatchObject({ code: 1 })
  return { site, one, two }
}

async function failed(site: Site, ...args: string[]): Promise<Ended> {
  return await site.say('failed', ...args)
}

async function ids(site: Site): Promise<string[]> {
  const { stdout } = await failed(site, 'list', '--json')
  return JSON.parse(stdout).map(({ clink_id }: { clink_id: string }) => clink_id)
}

async function startWorker(site: Site): Promise<Cli> {
  const worker = site.run('--set', 'retry.attempts=1')
  await worker.said(/worker\.ready/)
  return worker
}

test('what was given up is listed without its content, and shown with it', async () => {
  const { site, one, two } = await givenUp()
  await using _ = site
  const list = await failed(site, 'list')
  expect(list).toMatchObject({ code: 0, stderr: '' })
  expect(list.stdout).toMatch(/^ID +GROUP +ROUTE +ATTEMPTS +AGE +REASON\n/)
  for (const id of [one, two]) expect(list.stdout).toMatch(new RegExp(`^${id} +ops +h +1 +\\S+ .*no marker`, 'm'))
  const json = await failed(site, 'list', '--json', '--error', `MARKER FOR ${one}`)
  expect(JSON.parse(json.stdout)).toMatchObject([{ clink_id: one, route: 'h', attempts: 1, tell: 'release' }])
  expect(list.stdout + json.stdout).not.toContain('secret')
  for (const act of ['list', 'retry'])
    expect(await failed(site, act, '--group', 'none', '--error', 'no marker')).toMatchObject({
      code: 0,
      stdout: 'no dead letters match --group none --error no marker, of 2 in all\n',
    })

  const show = await failed(site, 'show', one)
  expect(show).toMatchObject({ code: 0, stderr: '' })
  expect(show.stdout).toMatch(/^errors\n {2}.*no marker.*\ncontent\n {2}one secret\n$/m)
  expect(show.stdout).toMatch(/^told +nothing: others may try it$/m)
  const whole = JSON.parse((await failed(site, 'show', one, '--json')).stdout)
  expect(whole).toMatchObject({
    clink: { clink_id: one, content: 'one secret' },
    errors: [expect.stringContaining(one)],
  })
})

test('check --clink and run --dry-run leave dead letters alone as the worker does, whether it runs or not', async () => {
  const { site, one, two } = await givenUp()
  await using _ = site
  const { clink_id: fresh } = site.emulator.send('ops', 'three')
  expect(await failed(site, 'discard', two)).toMatchObject({ code: 0 })
  const check = async (): Promise<void> => {
    await using dry = site.cli(['run', '--dry-run'])
    const { code, stdout, stderr } = await dry.ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    for (const id of [one, two]) expect(stdout).toMatch(new RegExp(`^${id} .*→ a dead letter .*left alone`, 'm'))
    expect(stdout).toMatch(new RegExp(`^${fresh} .*→ h `, 'm'))
    await using checked = site.cli(['check', '--clink', one])
    expect((await checked.ended).stdout).toContain(`${one}: left alone: a dead letter`)
  }
  await check()
  // Nobody claims what is to be looked at.
  site.emulator.addFault({ operation: 'check_inbox', query: { claim: 'true' }, then: { status: 503 } })
  await using worker = site.run()
  await worker.said(/poll\.failed/)
  await check()
  worker.kill('SIGTERM')
  expect(await worker.ended).toMatchObject({ code: 0 })
})

test('show lists the steps that are kept of a clink, and shows what they came to only where log.content is set', async () => {
  const stepping = handler(`
    await ctx.step('plan', () => ({ secret: 'x'.repeat(300) }))
    // The order is that of their times, in milliseconds.
    await new Promise((resolve) => setTimeout(resolve, 10))
    await ctx.step('nothing', () => undefined)
    throw new Error('after its steps')
  `)
  await using site = await Site.start({ 'handlers/h.js': stepping })
  const { clink_id: id } = site.emulator.send('ops', 'work')
  const before = Date.now()
  await using worker = site.cli(ONCE)
  expect(await worker.ended).toMatchObject({ code: 1 })

  const check = async (): Promise<void> => {
    const { stdout } = await failed(site, 'show', id)
    expect(stdout).toMatch(/^steps\n {2}step +plan +\S+Z +313 bytes *\n {2}step +nothing +\S+Z +0 bytes *$/m)
    expect(stdout).not.toContain('secret')
    const open = await failed(site, 'show', id, '--set', 'log.content=true')
    expect(open.stdout).toMatch(/^ {2}step +plan +\S+Z +313 bytes +\{"secret":"x+…?$/m)
    expect(open.stdout).not.toContain('x'.repeat(101))
    const { steps } = JSON.parse((await failed(site, 'show', id, '--json')).stdout)
    expect(steps).toEqual([
      { is: 'step', name: 'plan', at: expect.any(String), bytes: 313 },
      { is: 'step', name: 'nothing', at: expect.any(String), bytes: 0 },
    ])
    expect(Date.parse(steps[0].at)).toBeGreaterThanOrEqual(before - 1)
    expect(Date.parse(steps[0].at)).toBeLessThanOrEqual(Date.now())
  }
  await check()
  // The same of the worker that runs.
  await using running = await startWorker(site)
  await check()
  running.kill('SIGTERM')
  await running.ended
})

test('control characters of a content are not sent to the terminal', async () => {
  await using site = await Site.start({ 'handlers/h.js': untilMarked })
  const { clink_id: id } = site.emulator.send('ops', 'x \u001B[31mred\u009B2J\nnext')
  await using worker = site.cli(ONCE)
  await worker.ended
  expect((await failed(site, 'show', id)).stdout).toContain('content\n  x \\u001b[31mred\\u009b2J\n  next\n')
  const { stdout } = await failed(site, 'show', id, '--json')
  for (const character of ['\u001B', '\u009B']) expect(stdout).not.toContain(character)
  expect(JSON.parse(stdout).clink.content).toBe('x \u001B[31mred\u009B2J\nnext')
})

test('without a worker: the retried clink is run by the next one, the discarded one never', async () => {
  const { site, one, two } = await givenUp()
  await using _ = site
  expect(await failed(site, 'retry', one)).toMatchObject({ code: 0, stdout: `${one} will be retried\n`, stderr: '' })
  expect(await failed(site, 'discard', two)).toMatchObject({ code: 0, stdout: `${two} discarded\n`, stderr: '' })
  expect(await ids(site)).toEqual([])
  await site.dir.write({ one: '', two: '' })
  await using worker = site.cli(ONCE)
  expect(await worker.ended).toMatchObject({ code: 0 })
  expect(site.emulator.clink(one)).toMatchObject({ status: 'completed' })
  expect(site.emulator.clink(two)).toMatchObject({ status: 'pending' })
  expect(worker.stdout).toMatch(new RegExp(`clink\\.parked.*${two}.*given-up|${two}.*clink\\.parked`))
  expect(await failed(site, 'retry', two)).toMatchObject({ code: 1 })
})

test('a retry that was asked for already changes nothing and is no failure, until the clink is settled', async () => {
  const { site, one, two } = await givenUp('--set', 'retry.onExhausted=release')
  await using _ = site
  const said = { code: 0, stdout: `${one} will be retried\n${two} will be retried\n`, stderr: '' }
  for (let n = 0; n < 2; n += 1) expect(await failed(site, 'retry', one, two)).toMatchObject(said)
  await site.dir.write({ one: '' })
  await using worker = site.cli(ONCE)
  expect(await worker.ended).toMatchObject({ code: 1 })
  // One is done, the other was given up once more.
  expect(await failed(site, 'retry', one)).toMatchObject({ code: 1, stderr: expect.stringContaining(one) })
  for (let n = 0; n < 2; n += 1) expect(await failed(site, 'retry', two)).toMatchObject({ code: 0 })
})

test('with a worker: the retried clink is run at once, the discarded one never', async () => {
  const { site, one, two } = await givenUp()
  await using _ = site
  await site.dir.write({ one: '', two: '' })
  await using worker = await startWorker(site)
  for (const id of [one, two]) await worker.said(new RegExp(`clink\\.parked.*${id}`))
  expect(new Set(await ids(site))).toEqual(new Set([one, two]))
  expect(await failed(site, 'discard', two, '--json')).toMatchObject({
    code: 0,
    stdout: `[{"clink_id":"${two}","result":"done"}]\n`,
  })
  expect(await failed(site, 'retry', one)).toMatchObject({ code: 0, stdout: `${one} will be retried\n`, stderr: '' })
  await worker.said(new RegExp(`clink\\.completed.*${one}`))
  expect(await ids(site)).toEqual([])
  worker.kill('SIGTERM')
  expect(await worker.ended).toMatchObject({ code: 0 })
  expect(worker.stdout).not.toMatch(new RegExp(`clink\\.started.*${two}`))
  expect(existsSync(join(site.dir.path, 'state/control.sock'))).toBe(false)
})

test('--all and --state take them all, and a second time there is nothing left', async () => {
  const { site } = await givenUp()
  await using _ = site
  const state = join(site.dir.path, 'state')
  expect((await failed(site, 'retry', '--all', '--state', state)).stdout.match(/will be retried\n/g)).toHaveLength(2)
  expect(await failed(site, 'retry', '--all')).toMatchObject({ code: 0, stdout: 'no dead letters\n' })
})

test(
  'a clink whose sender was told is run again by the next worker, and its result sent as a new clink (§5)',
  { timeout: 60_000 },
  async () => {
    const { site, one, two } = await givenUp()
    await using _ = site
    const three = site.emulator.send('ops', 'three', { from: 'bob' }).clink_id
    const tell = ['--set', 'retry.onExhausted=complete']
    await using worker = site.cli([...ONCE, ...tell])
    await worker.ended
    const { code, stderr, stdout } = await failed(site, 'retry', '--all')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const rerun = 'will be run again, and its result sent to its sender as a new clink'
    const said = [
      ...[one, two].map((id) => `${id} will be retried`),
      `${three} ${rerun}, when a worker starts with this state directory: none runs now`,
      '3 dead letters to be run again',
    ]
    expect(stdout.split('\n').sort()).toEqual(['', ...said].sort())
    expect((await failed(site, 'list')).stdout).toMatch(new RegExp(`^${three} .*to be run again: no marker`, 'm'))
    expect((await failed(site, 'show', three)).stdout).toMatch(/^rerun +to be run again$/m)

    await site.dir.write({ one: '', two: '', three: '' })
    await using next = site.cli([...ONCE, ...tell])
    expect(await next.ended).toMatchObject({ code: 0 })
    const results = site.emulator.clinks().filter(({ content, for: to }) => content === 'done now' && to === 'user_bob')
    expect(results.filter(({ answers }) => answers === undefined)).toHaveLength(1)
    expect(await ids(site)).toEqual([])
  },
)

test(
  'with a worker: a clink whose sender was told is run again at once; what is not known of its result is shown (§5)',
  { timeout: 60_000 },
  async () => {
    await using site = await Site.start({ 'handlers/h.js': untilMarked })
    const id = site.emulator.send('ops', 'one', { from: 'bob' }).clink_id
    site.emulator.addFault({ operation: 'send_clink', then: { cut: 'after' } })
    await using worker = site.run('--set', 'retry.attempts=1', '--set', 'retry.onExhausted=complete')
    await worker.said(new RegExp(`clink\\.completed.*${id}`))
    await site.dir.write({ one: '' })
    const json = await failed(site, 'retry', id, '--json')
    expect(json).toMatchObject({ code: 0, stdout: `[{"clink_id":"${id}","result":"rerun"}]\n` })
    await worker.said(new RegExp(`clink\\.resultUnknown.*${id}`))
    expect((await failed(site, 'list')).stdout).toMatch(/nobody knows whether its result arrived/)
    expect((await failed(site, 'show', id)).stdout).toMatch(/^result\n {2}done now\n/m)
    worker.kill('SIGTERM')
    expect(await worker.ended).toMatchObject({ code: 0 })
  },
)

test('an id that is not there is a failure, and the others are done', async () => {
  const { site, one } = await givenUp()
  await using _ = site
  const line = 'clink-worker: nope is not among the dead letters; `clink-worker failed list` shows them\n'
  const retry = await failed(site, 'retry', 'nope', one)
  expect(retry).toMatchObject({ code: 1, stdout: `${one} will be retried\n`, stderr: line })
  expect(await failed(site, 'show', 'nope')).toMatchObject({ code: 1, stdout: '', stderr: line })
})

test.each([
  [['retry'], 64, 'failed retry: say which: ids, --route, --group, --error, --since or --all'],
  [
    ['discard', 'x', '--all'],
    64,
    'failed discard: name ids or choose with --route, --group, --error, --since or --all, not both',
  ],
  [['list', '--state', '/nowhere'], 78, 'state.directory: /nowhere holds nothing: no worker has run with it'],
])('%j is refused with one line', async (args, code, line) => {
  await using site = await Site.start()
  expect(await failed(site, ...args)).toMatchObject({ code, stdout: '', stderr: `clink-worker: ${line}\n` })
})

test('the socket is the user’s own, and a request that is no request hurts nobody', async () => {
  const { site, one, two } = await givenUp()
  await using _ = site
  await using worker = await startWorker(site)
  const path = join(site.dir.path, 'state/control.sock')
  expect(new Set(await ids(site))).toEqual(new Set([one, two]))
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(await says(path, 'no JSON\n')).toMatch(/^\{"error":".*JSON.*\}\n$/)
  expect(await says(path, '{"request":"failed.none"}\n')).toMatch(/^\{"error":".*failed.none.* is not a request.*\}\n$/)
  expect(await says(path, 'x'.repeat(1_100_000))).toMatch(/^\{"error":"a request has at most 1000000 characters"\}\n$/)
  createConnection(path)
    .on('error', () => {})
    .end('{"request":')
  expect(new Set(await ids(site))).toEqual(new Set([one, two]))
  worker.kill('SIGKILL')
  await worker.ended
  expect(existsSync(path)).toBe(true)
  expect(new Set(await ids(site))).toEqual(new Set([one, two]))
  await using next = await startWorker(site)
  expect(new Set(await ids(site))).toEqual(new Set([one, two]))
  next.kill('SIGTERM')
  expect(await next.ended).toMatchObject({ code: 0 })
})

test('commands that come at once wait for each other', async () => {
  const { site, one, two } = await givenUp()
  await using _ = site
  for (const listed of await Promise.all([ids(site), ids(site), ids(site)])) {
    expect(new Set(listed)).toEqual(new Set([one, two]))
  }
})

test('a look into a copied state directory leaves it a copy to the next worker', async () => {
  const { site, one, two } = await givenUp()
  await using _ = site
  const copy = join(site.dir.path, 'copy')
  cpSync(join(site.dir.path, 'state'), copy, { recursive: true })
  const { stdout } = await failed(site, 'list', '--state', copy)
  for (const id of [one, two]) expect(stdout).toContain(id)
  const state = openState({ directory: copy, sync: 'normal', onHealth: () => {} })
  expect(state.isOurs).toBe(false)
  state.close()
})

test('where no socket can be, the worker works and says so, and the command says why', async () => {
  await using site = await Site.start({ 'handlers/h.js': untilMarked })
  const state = join(site.dir.path, 'long'.repeat(30))
  await using worker = site.run('--set', `state.directory=${state}`)
  await worker.said(/control\.unavailable.*at most 107 bytes; choose a shorter state\.directory/)
  await worker.said(/worker\.ready/)
  const list = await failed(site, 'list', '--state', state)
  expect(list).toMatchObject({
    code: 64,
    stdout: '',
    stderr: expect.stringMatching(/cannot be reached.*107 bytes.*\n$/),
  })
  worker.kill('SIGTERM')
  expect(await worker.ended).toMatchObject({ code: 0 })
})

test('a caller that does not read its answer does not keep the worker from stopping', async () => {
  using dir = new TempDir()
  const asked = Promise.withResolvers<void>()
  const answer = async (): Promise<string> => {
    asked.resolve()
    return 'x'.repeat(10_000_000)
  }
  const control = new ControlSocket({ directory: dir.path, answer })
  await control.start()
  const caller = createConnection(controlPath(dir.path)).on('error', () => {})
  caller.pause().write('{}\n')
  await asked.promise
  const started = performance.now()
  await control.stop()
  expect(performance.now() - started).toBeLessThan(15_000)
  await control.stop()
  caller.destroy()
})

/** The first line that comes back. */
async function says(path: string, text: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const socket = createConnection(path, () => socket.write(text))
    let read = ''
    socket.setEncoding('utf8').on('error', (error) => (read === '' ? reject(error) : undefined))
    socket.on('data', (part: string) => {
      read += part
      if (!read.includes('\n')) return
      socket.destroy()
      resolve(read)
    })
  })
}

test('a state directory that one may not read is not called empty', async (context) => {
  if (process.getuid?.() === 0) context.skip('the superuser may read everywhere')
  await using site = await Site.start({ 'state/journal.db': '' })
  chmodSync(join(site.dir.path, 'state'), 0o000)
  const { code, stderr } = await failed(site, 'list')
  chmodSync(join(site.dir.path, 'state'), 0o700)
  expect(code).toBe(78)
  expect(stderr).toMatch(/may not be read by this user/)
})
