import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { EXIT } from '../../src/base/coded-error.ts'
import { operationNames } from '../../src/clink/contract.ts'
import { clinkWorker } from '../support/cli.ts'
import { inProcess } from '../support/in-process.ts'

test('--version prints the version of the package', async () => {
  expect(await clinkWorker(['--version'])).toMatchObject({ code: 0, stdout: `${packageJson.version}\n`, stderr: '' })
})

test('--help lists every command with examples', async () => {
  const { code, stdout, stderr } = await clinkWorker(['--help'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  for (const name of ['run', 'dev', 'invoke', 'check', 'init', 'send', 'inbox', 'failed', 'api', 'emulate']) {
    expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'))
  }
  expect(stdout).toContain('clink-worker check --online')
  for (const code of new Set(Object.values(EXIT)))
    expect(stdout).toMatch(new RegExp(`^Exit codes:[^]*\\b${code} `, 'm'))
})

test('the README has a row for every command, and the number of operations', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const { stdout } = await clinkWorker(['--help'])
  const [, list = ''] = /^Commands:\n(.*?)\n\n/ms.exec(stdout) ?? []
  const commands = [...list.matchAll(/^ {2}([a-z]+) /gm)].map(([, name = '']) => name)
  expect(commands).toContain('run')
  const untold = commands.filter((name) => !new RegExp(`^\\| .*\`${name}\\b.*\\|`, 'm').test(readme))
  expect(untold, 'add a row to the table "Commands" of README.md').toEqual([])
  expect(readme).toContain(`any of the API's ${operationNames.length} operations`)
})

test('no command at all shows the help, and is wrong usage', async () => {
  const { code, stdout, stderr } = await clinkWorker([])
  expect({ code, stderr }).toEqual({ code: 64, stderr: '' })
  expect(stdout).toContain('Usage: clink-worker')
})

test.each([
  [['rnu'], "unknown command 'rnu'; did you mean run?"],
  [['run', '--cofig', 'x'], "unknown option '--cofig'; did you mean --config?"],
  [['send', 'ops'], "missing required argument 'text'"],
  [['inbox', 'ops'], "too many arguments for 'inbox'. Expected 0 arguments but got 1: ops."],
  [['inbox', '--limit', '0'], '--limit: "0" is not a whole number from 1 to 100'],
  [['run', '--max-time', '5m'], '--max-time is for --once: add it'],
  [['run', '--once', '--max-time', 'soon'], '--max-time: "soon" is not a duration above 0; write 30s, 5m, 1h'],
  [['run', '--dry-run', '--max-clinks', '5'], '--dry-run lists what waits, and works nothing: without --max-clinks'],
  [['run', '--dry-run', '--idle-exit', '5m'], '--dry-run lists what waits, and works nothing: without --idle-exit'],
  [['run', '--dry-run', '--max-uptime', '5m'], '--dry-run lists what waits, and works nothing: without --max-uptime'],
  [
    ['run', '--dry-run', '--once', '--max-time', '5m'],
    '--dry-run lists what waits, and works nothing: without --max-time',
  ],
  [['status', '--audit', '--timeout', 'soon'], '--timeout: "soon" is not a duration above 0; write 5s'],
  [['status', '--fleet', '--timeout', 'soon'], '--timeout: "soon" is not a duration above 0; write 5s'],
  [['run', '--json'], '--json is for --dry-run: add it; for log lines as JSON there is --set log.format=json'],
  [['run', '--set', 'poll.interval'], '--set "poll.interval": write it as key=value'],
  [['pause', '--route', 'a', '--route', 'b'], '--route is given twice'],
  [['resume', '--route', 'a', '--route=a'], '--route is given twice'],
  [['failed', 'retry', '--error', 'a', '--error', 'b'], '--error is given twice'],
  [['send', 'ops', 'hello', '--for', 'a', '--for', 'b'], '--for is given twice'],
  [['inbox', '--limit', '1', '--limit', '2'], '--limit is given twice'],
  [['api', 'list_groups', '-c', 'a', '--config', 'b'], '--config is given twice'],
  [['health', 'ready', '--state', 'a', '--state', 'b'], '--state is given twice'],
  [['emulate', '--switch', 'reclaim=refuse', '--switch', 'reclaim=renew'], '--switch reclaim is given twice'],
  [['run', '--set', 'poll.interval=1s', '--set', 'poll.interval=2s'], '--set poll.interval is given twice'],
  [['invoke', 'x.ts'], 'give the clink with either --text or --clink'],
  [
    ['invoke', 'x.ts', '--clink', 'c', '--group', 'g'],
    '--group is for --text: a clink of --clink has its own group_slug',
  ],
  [['api', 'send_clnk'], "unknown command 'send_clnk'; did you mean send_clink?"],
])('%j is one clear line and exit code 64', async (args, line) => {
  expect(await inProcess(args)).toMatchObject({ code: 64, stdout: '', stderr: `clink-worker: ${line}\n` })
})

test('a setting by its short name and with --set is given twice', async () => {
  const ended = await clinkWorker(['run', '--concurrency', '1', '--set', 'concurrency=2'])
  const stderr = 'clink-worker: concurrency is given twice, once with --set\n'
  expect(ended).toMatchObject({ code: 64, stdout: '', stderr })
})

test.each([
  'state.url=postgresql://me:pa55word@host/base',
  'state.url=postgresql//me:pa55word@host',
  'state.url=me:pa55word@host/base',
  'state.url=postgresql://host/base?user=me&password=pa55word',
  'state={ url: "postgresql://me:pa55word@host/base" }',
])('an address with a password on the command line is neither taken nor repeated: %s', async (setting) => {
  const ended = await inProcess(['status', '--fleet', '--set', setting])
  expect(ended).toMatchObject({ code: 64, stderr: expect.stringMatching(/--set state\S*: a password does not belong/) })
  expect(ended.stderr).not.toContain('pa55word')
})

test('one without is taken', async () => {
  const setting = 'state.url=postgresql://me@127.0.0.1:1/base?sslmode=disable'
  expect((await inProcess(['status', '--fleet', '--set', setting])).code).toBe(75)
})

test('a key on the command line is neither taken nor repeated', async () => {
  const unknown = await inProcess(['inbox', '--key=sk_live_u_0123456789'])
  expect(unknown).toMatchObject({ code: 64, stderr: "clink-worker: unknown option '--key=[secret]'\n" })
  const setting = await inProcess(['inbox', '--set', 'clink.key=sk_live_u_0123456789'])
  expect(setting.code).toBe(64)
  expect(setting.stderr).toContain('--set clink.key: a key does not belong on a command line')
  expect(setting.stderr).not.toContain('0123456789')
  const whole = await inProcess(['inbox', '--set', 'clink={key: sk_live_u_0123456789}'])
  expect(whole.code).toBe(64)
  expect(whole.stderr).not.toContain('0123456789')
})
