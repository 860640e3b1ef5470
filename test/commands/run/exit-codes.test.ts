import { expect, test } from 'vitest'
import { Cli, clinkWorker } from '../../support/cli.ts'
import { handler, logLines, Site } from '../../support/site.ts'
import { TempDir } from '../../support/temp-dir.ts'

test('--once works the inbox empty and exits with 0', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler('return `you said ${clink.content}`') })
  const ids = Array.from({ length: 25 }, (_, n) => site.emulator.send('ops', `number ${n}`).clink_id)
  await using worker = site.run('--once', '--concurrency', '4')
  expect(await worker.ended).toMatchObject({ code: 0, stderr: '' })
  expect(ids.map((id) => site.emulator.clink(id)?.status)).toEqual(ids.map(() => 'completed'))
})

test('--once exits with 1 when something was given up', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler(`throw new Error('no')`) })
  site.emulator.send('ops', 'hello')
  await using worker = site.run('--once', '--set', 'retry.attempts=1')
  expect(await worker.ended).toMatchObject({ code: 1 })
})

test('--once --max-time stops in time, whatever still runs', async () => {
  await using site = await Site.start({
    'handlers/h.js': handler(
      `await new Promise((_, no) => ctx.signal.addEventListener('abort', () => no(ctx.signal.reason)))`,
    ),
  })
  const { clink_id: id } = site.emulator.send('ops', 'hello')
  await using worker = site.run('--once', '--max-time', '500ms', '--set', 'shutdown.drain=100ms')
  expect(await worker.ended).toMatchObject({ code: 0 })
  expect(site.emulator.clink(id)).toMatchObject({ status: 'pending' })
})

test('--once exits with 77 when the key is refused', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler('') })
  await using worker = site.cli(['run', '--once'], { key: 'suspended' })
  expect(await worker.ended).toMatchObject({ code: 77 })
})

test('--once exits with 69 when the service is away', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler('') })
  site.emulator.disconnect()
  await using worker = site.run('--once', '--set', 'poll.maxInterval=100ms')
  expect(await worker.ended).toMatchObject({ code: 69 })
})

test('a bad configuration is 78, one line a problem', async () => {
  using dir = new TempDir()
  await dir.write({ 'clink-worker.yaml': 'poll:\n  interval: 5 secs\nconcurency: 3\n' })
  const { code, stdout, stderr } = await clinkWorker(['run', '--concurrency', 'many'], { cwd: dir.path })
  expect({ code, stdout }).toEqual({ code: 78, stdout: '' })
  const lines = stderr.trimEnd().split('\n')
  expect(lines).toEqual([
    expect.stringMatching(/^clink-worker: .*clink-worker\.yaml:2:13: poll\.interval: "5 secs" is not a duration/),
    expect.stringMatching(/^clink-worker: .*clink-worker\.yaml:3:1: concurency: .*concurrency/),
    expect.stringMatching(/^clink-worker: .*concurrency: "many" is not a whole number/),
  ])
})

test.each([
  ['no key', {}, /^clink-worker: There is no Clink API key\. Set CLINK_API_KEY/],
  [
    'something that is no key',
    { CLINK_API_KEY: 'hunter2' },
    /^clink-worker: CLINK_API_KEY: The Clink API key does not begin with sk_live_\./,
  ],
])('%s is 78, and is not shown', async (_name, env, line) => {
  using dir = new TempDir()
  await dir.write({ 'handlers/h.js': handler('') })
  const { code, stderr } = await clinkWorker(['run'], { cwd: dir.path, env })
  expect(code).toBe(78)
  expect(stderr).toMatch(line)
  expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  expect(stderr).not.toContain('hunter2')
})

test('bad handlers are 78, and all of them are named', async () => {
  await using site = await Site.start({ 'handlers/a.js': 'export default 5', 'handlers/b.js': 'export const x = 1' })
  await using worker = site.run()
  const { code, stderr } = await worker.ended
  expect(code).toBe(78)
  expect(stderr).toMatch(/^clink-worker: handlers\/a\.js: .*\nclink-worker: handlers\/b\.js: .*\n$/)
})

test('warnings about the configuration are log lines', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler('') })
  const env = { ...site.env(), CLINK_WORKER_POLL__INTERVALL: '1s' }
  await using worker = new Cli(['run', '--once'], { cwd: site.dir.path, env })
  await worker.ended
  expect(logLines(worker.stdout)[0]).toMatchObject({
    level: 'warn',
    event: 'config.warning',
    message: expect.stringContaining('CLINK_WORKER_POLL__INTERVALL'),
  })
})

test('the key never appears, whatever fails, at level trace', async () => {
  await using site = await Site.start({
    'handlers/h.js': `export default { passKey: true, handle(clink, { env, log }) {
      log.error('here it is', { err: Object.assign(new Error(env.CLINK_API_KEY), { options: env }) })
      throw Object.assign(new Error('failed with ' + env.CLINK_API_KEY), { headers: env })
    } }`,
  })
  site.emulator.send('ops', 'hello')
  // oxlint-disable-next-line unicorn/no-thenable -- rules are data that nobody awaits
  site.emulator.addFault({ operation: 'check_inbox', nth: 2, then: { status: 500, body: site.emulator.key } })
  const settings = ['poll.interval=50ms', 'retry.attempts=1', 'log.content=true'].flatMap((one) => ['--set', one])
  await using worker = site.cli(['run', '--once', '--log-level', 'trace', ...settings])
  const { stdout, stderr } = await worker.ended
  expect(stdout).toContain('[secret]')
  expect(stdout + stderr).not.toContain(site.emulator.key)
})
