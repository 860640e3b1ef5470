import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cli, clinkWorker } from '../../support/cli.ts'
import { handler, logLines } from '../../support/site.ts'
import { TempDir } from '../../support/temp-dir.ts'

test('dev works sample clinks without key, configuration or handlers, and says how to go on', async () => {
  using dir = new TempDir()
  await using dev = new Cli(['dev'], { cwd: dir.path })
  await dev.said(/clink\.completed/)
  expect(dev.stdout).toContain('a built-in echo answers')
  expect(dev.stdout).toContain('clink-worker init')
  dev.kill('SIGINT')
  const { code, stdout, stderr } = await dev.ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(
    /^That was all: [1-9]\d* completed, \d+ released, 0 given up, 0 lost; \d+ sample clinks were sent\.$/m,
  )
})

test('dev shows a renewal, and a clink that fails once and is retried', async () => {
  using dir = new TempDir()
  await using dev = new Cli(['dev'], { cwd: dir.path })
  await dev.said(/clink\.renewed/)
  await dev.said(/clink\.completed .* sample-flaky #2/)
})

test('other terminals talk to the embedded Clink with what dev prints', async () => {
  using dir = new TempDir()
  await dir.write({ 'handlers/h.js': handler('return `you said ${clink.content}`') })
  await using dev = new Cli(['dev', '--no-samples'], { cwd: dir.path })
  const [, CLINK_API_URL = '', CLINK_API_KEY = ''] = await dev.said(/export CLINK_API_URL=(\S+) CLINK_API_KEY=(\S+)/)
  const env = { CLINK_API_URL, CLINK_API_KEY }
  expect(await clinkWorker(['send', 'ops', 'hello'], { env })).toMatchObject({ code: 0 })
  await dev.said(/clink\.completed/)
  const { stdout } = await clinkWorker(['inbox'], { env })
  expect(stdout).toContain('you said hello')
})

test('dev loads handlers again when they change, the first one too', async () => {
  using dir = new TempDir()
  await dir.write({ 'clink-worker.yaml': 'log: { content: true }\n', 'handlers/notes.txt': '' })
  await using dev = new Cli(['dev', '--json'], { cwd: dir.path })
  await dev.said(/"response":"echo: /)
  writeFileSync(join(dir.path, 'handlers/h.js'), handler(`return 'mine'`))
  await dev.said(/handlers\.loaded.*handlers\/h\.js/)
  await dev.said(/"response":"mine/)
})

test('dev reads its configuration again when it changes, and keeps what is dev’s own', async () => {
  using dir = new TempDir()
  await dir.write({ 'clink-worker.yaml': 'concurrency: 2\n', 'handlers/h.js': handler(`return 'old'`) })
  await using dev = new Cli(['dev', '--json'], { cwd: dir.path })
  await dev.said(/"response":"old/)
  await dir.write({ 'clink-worker.yaml': 'concurrency: 2\nrotes: []\n' })
  await dev.said(/config\.failed.*clink-worker\.yaml:2:1: rotes/)
  await dir.write({
    'other/n.js': handler(`return 'new'`),
    'clink-worker.yaml':
      'concurrency: 3\nclink: { url: "http://127.0.0.1:1" }\nroutes: [{ name: n, use: other/n.js }]\n',
  })
  await dev.said(/"response":"new/)
  expect(logLines(dev.stdout.slice(0, dev.stdout.lastIndexOf('\n') + 1))).toContainEqual(
    expect.objectContaining({
      event: 'config.reloaded',
      atOnce: ['concurrency'],
      newDeliveries: ['routes'],
      restart: [],
    }),
  )
})

test('the own configuration counts, but for address and key; --json leaves only log lines on standard output', async () => {
  using dir = new TempDir()
  await dir.write({
    'clink-worker.yaml':
      'clink: { url: "http://127.0.0.1:1", key: sk_live_u_mine }\nconcurrency: 3\nlog: { format: pretty }\npoll: { interval: 3s }\n',
  })
  const env = { CLINK_API_KEY: 'sk_live_u_mine', CLINK_API_URL: 'http://127.0.0.1:2' }
  await using dev = new Cli(['dev', '--json'], { cwd: dir.path, env })
  await dev.said(/clink\.completed/)
  dev.kill('SIGTERM')
  const { code, stdout, stderr } = await dev.ended
  expect(code).toBe(0)
  expect(logLines(stdout).find(({ event }) => event === 'worker.started')).toMatchObject({ concurrency: 3 })
  expect(stderr).toContain('export CLINK_API_URL=')
  expect(stderr).toContain('That was all: ')
})

test('dev ends when its terminal is gone', async () => {
  using dir = new TempDir()
  await using dev = new Cli(['dev', '--no-samples'], { cwd: dir.path })
  await dev.said(/worker\.ready/)
  dev.kill('SIGHUP')
  expect(await dev.ended).toMatchObject({ code: 0, signal: null })
})
