import { expect, test } from 'vitest'
import { clinkWorker } from '../support/cli.ts'
import { TempDir } from '../support/temp-dir.ts'

const env = { CLINK_API_KEY: 'sk_live_u_0123456789', CLINK_API_URL: 'http://127.0.0.1:9' }

test.each([[['run']], [['run', '--dry-run']], [['check']], [['invoke', 'handlers/h.js', '--text', 'x']]])(
  'P14: %j names the handler file that ends the process while it is loaded, whatever code it chose',
  async (args) => {
    using dir = new TempDir()
    await dir.write({ 'handlers/h.js': `export default () => 1\nprocess.exit(0)` })
    const { code, stderr, stdout } = await clinkWorker(args, { cwd: dir.path, env })
    expect(code).toBe(78)
    // A check reports what it has found, and is no failure of its own.
    const said = args[0] === 'check' ? stdout : stderr
    expect(said).toMatch(/^(clink-worker: |.* )handlers\/h\.js:2: ended the process while it was loaded\n/m)
  },
)

test.each([[['run']], [['check']], [['invoke', 'handlers/h.js', '--text', 'x']]])(
  'P14: %j names the handler file that leaves a rejection behind as it is loaded',
  async (args) => {
    using dir = new TempDir()
    await dir.write({ 'handlers/h.js': `Promise.reject(new Error('stray'))\nexport default () => 1` })
    expect(await clinkWorker(args, { cwd: dir.path, env })).toMatchObject({
      code: 70,
      stdout: '',
      stderr: 'clink-worker: handlers/h.js:1: left an error that nobody caught while it was loaded: stray\n',
    })
  },
)

test.each([[['run']], [['check']], [['invoke', 'handlers/h.js', '--text', 'x']]])(
  'P14: %j names the handler file that leaves an uncaught error while it is loaded, in one line',
  async (args) => {
    using dir = new TempDir()
    const stray = `setTimeout(() => { throw new Error('stray') }, 0)\nawait new Promise((resolve) => setTimeout(resolve, 20_000))`
    await dir.write({ 'handlers/h.js': stray })
    expect(await clinkWorker(args, { cwd: dir.path, env })).toMatchObject({
      code: 70,
      stderr: 'clink-worker: handlers/h.js:1: left an error that nobody caught while it was loaded: stray\n',
    })
  },
)
