import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { clinkWorker } from '../../support/cli.ts'
import { directoryWith } from '../../support/config-files.ts'

const NOWHERE = 'postgresql://me:pa55word@127.0.0.1:1/base'

test('a TLS mode that is taken for another one, and a file that others may read, are a line each', async () => {
  const cwd = await directoryWith({
    address: `${NOWHERE}?sslmode=require`,
    'handlers/a.mjs': 'export default () => {}',
  })
  await chmod(join(cwd, 'address'), 0o644)
  const ended = await clinkWorker(['check', '--online'], { cwd, env: { CLINK_STATE_URL_FILE: 'address' } })
  const lines = ended.stdout.split('\n').filter((line) => line.startsWith('store'))
  expect(lines).toEqual([
    expect.stringMatching(/^store +failed +127\.0\.0\.1:1\/base: nothing listens there$/),
    expect.stringMatching(/^store +warning +the file of state\.urlFile \S+\/address is open to others \(mode 644\)/),
    expect.stringMatching(/^store +warning +state\.urlFile: \S+\/address: sslmode=require is taken as verify-full/),
  ])
  expect(ended).toMatchObject({ stderr: '', code: 75 })
})

test('a misspelt TLS parameter is no address at all', async () => {
  const cwd = await directoryWith({ 'handlers/a.mjs': 'export default () => {}' })
  const env = { CLINK_STATE_URL: `${NOWHERE}?ssl_mode=verify-full` }
  expect(await clinkWorker(['check'], { cwd, env })).toMatchObject({
    code: 78,
    stdout: expect.stringMatching(
      /^store +failed +CLINK_STATE_URL has the unknown parameter ssl_mode; did you mean sslmode\?$/m,
    ),
  })
})

test('a worker logs them once when it starts, and the driver says nothing of its own', async () => {
  const cwd = await directoryWith({
    address: `${NOWHERE}?sslmode=require`,
    'handlers/a.mjs': 'export default () => {}',
  })
  await chmod(join(cwd, 'address'), 0o644)
  const env = {
    CLINK_STATE_URL_FILE: 'address',
    CLINK_API_KEY: 'sk_live_u_0123456789abcdef',
    CLINK_API_URL: 'http://127.0.0.1:9',
  }
  const args = ['run', '--once', '--max-time', '2s', '--set', 'log.format=json']
  const { stderr, stdout } = await clinkWorker(args, { cwd, env })
  const told = stdout.split('\n').filter((line) => line.includes('config.warning'))
  expect(told).toEqual([
    expect.stringContaining('is open to others (mode 644)'),
    expect.stringContaining('sslmode=require is taken as verify-full'),
  ])
  expect(stderr).not.toContain('SECURITY')
})
