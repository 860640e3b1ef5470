import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { Cli, clinkWorker } from '../../support/cli.ts'
import { Site } from '../../support/site.ts'
import { TempDir } from '../../support/temp-dir.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

const STARTS = [
  {
    language: 'ts',
    files: ['package.json', 'handlers/hello.ts', 'handlers/hello.test.ts'],
    tested: ['npm', 'test'],
    passes: /^# pass 2$/m,
  },
  {
    language: 'js',
    files: ['package.json', 'handlers/hello.js', 'handlers/hello.test.js'],
    tested: ['npm', 'test'],
    passes: /^# pass 2$/m,
  },
  {
    language: 'python',
    files: ['handlers/hello.py', 'handlers/test_hello.py'],
    tested: ['python3', '-m', 'unittest', 'discover', 'handlers'],
    passes: /^Ran 1 test .*\n\nOK$/m,
  },
] as const

test.for(STARTS)(
  'in an empty folder init writes a worker that is in order, passes its own test and answers in dev ($language)',
  async ({ language, files, tested: [command, ...args], passes }, { skip }) => {
    skip(spawnSync(command, ['--version']).status !== 0, `there is no ${command} here`)
    using dir = new TempDir()
    const { code, stdout } = await clinkWorker(['init', 'new', '--language', language], { cwd: dir.path })
    expect(code).toBe(0)
    const all = ['clink-worker.yaml', ...files, 'README.md', 'clink-worker.service']
    expect(stdout.match(/^wrote .*$/gm)).toEqual(all.map((file) => `wrote new/${file}`))

    const cwd = join(dir.path, 'new')
    // As an installation would.
    mkdirSync(join(cwd, 'node_modules'))
    symlinkSync(ROOT, join(cwd, 'node_modules/clink-worker'))
    const env = { PATH: `${dirname(process.execPath)}:${process.env['PATH']}`, NODE_OPTIONS: '--test-reporter=tap' }
    const ran = spawnSync(command, args, { cwd, encoding: 'utf8', env })
    expect(ran).toMatchObject({ status: 0 })
    expect(`${ran.stdout}${ran.stderr}`).toMatch(passes)
    expect(await clinkWorker(['check'], { cwd })).toMatchObject({ code: 0 })

    await using dev = new Cli(['dev', '--no-samples', '--json'], { cwd })
    const [, CLINK_API_URL = '', CLINK_API_KEY = ''] = await dev.said(
      /export CLINK_API_URL=(\S+) CLINK_API_KEY=(\S+)/,
      'stderr',
    )
    await clinkWorker(['send', 'ops', 'good morning'], { env: { CLINK_API_URL, CLINK_API_KEY } })
    await dev.said(/"response":"Hello alice, you said: good morning/)
  },
)

test('the steps that init and its README name can be copied into a shell, also for a folder with a space', async () => {
  await using site = await Site.start()
  const { stdout } = await clinkWorker(['init', "my worker's"], { cwd: site.dir.path })
  const [cd = ''] = /^ {2}cd .*$/m.exec(stdout) ?? []
  const cwd = join(site.dir.path, "my worker's")
  expect(spawnSync('sh', ['-c', `${cd} && pwd -P`], { cwd: site.dir.path, encoding: 'utf8' }).stdout).toBe(
    `${realpathSync(cwd)}\n`,
  )
  const readme = readFileSync(join(cwd, 'README.md'), 'utf8')
  for (const text of [stdout, readme]) {
    const steps = [...text.matchAll(/npx clink-worker ((?:check|run)\b[^#\n]*?)(?: {2,}.*)?$/gm)].map(
      ([, step = '']) => step,
    )
    expect(steps).toEqual(['check --online', 'run'])
  }
  expect(await clinkWorker(['check', '--online'], { cwd, env: site.env() })).toMatchObject({ code: 0 })
  expect(await clinkWorker(['run', '--once'], { cwd, env: site.env() })).toMatchObject({ code: 0 })
})

test('init overwrites nothing and says what it left', async () => {
  using dir = new TempDir()
  await dir.write({ 'clink-worker.yaml': 'mine: 1\n', 'handlers/hello.ts': 'mine' })
  const { code, stdout } = await clinkWorker(['init', '--json'], { cwd: dir.path })
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    written: ['package.json', 'handlers/hello.test.ts', 'README.md', 'clink-worker.service'],
    left: ['clink-worker.yaml', 'handlers/hello.ts'],
  })
  expect(readFileSync(join(dir.path, 'clink-worker.yaml'), 'utf8')).toBe('mine: 1\n')
  expect(readFileSync(join(dir.path, 'handlers/hello.ts'), 'utf8')).toBe('mine')
})

test('a directory that cannot be made is named', async () => {
  using dir = new TempDir()
  await dir.write({ taken: 'a file' })
  const { code, stderr } = await clinkWorker(['init', 'taken'], { cwd: dir.path })
  expect(code).toBe(78)
  expect(stderr).toMatch(/^clink-worker: cannot write .*taken\/clink-worker\.yaml: it is not a directory\n$/)
})

test('beside handlers that are there already init writes none, and all of them load', async () => {
  using dir = new TempDir()
  await dir.write({ 'handlers/mine.js': 'export default () => 1' })
  const { code, stdout } = await clinkWorker(['init'], { cwd: dir.path })
  expect(code).toBe(0)
  expect(stdout).toContain('left  handlers/mine.js, which was there already')
  expect(stdout).not.toContain('hello')
  expect(await clinkWorker(['check'], { cwd: dir.path })).toMatchObject({ code: 0 })
})

test('with what init writes, a sender whose clink is given up is told so', async () => {
  await using site = await Site.start({ 'handlers/work.js': "export default () => { throw new Error('no') }" })
  await clinkWorker(['init'], { cwd: site.dir.path })
  const { clink_id: id } = site.emulator.send('ops', 'to be done', { from: 'bob' })
  const args = ['run', '--once', '--max-time', '20s', '--set', 'retry.attempts=1']
  const { code } = await clinkWorker(args, { cwd: site.dir.path, env: site.env() })
  expect(code).toBe(1)
  const { stdout } = await clinkWorker(['inbox'], { cwd: site.dir.path, env: site.env('bob') })
  expect(stdout).toContain(`This could not be done (handler-failed, ${id}).`)
})
