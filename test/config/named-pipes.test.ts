import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { loadKey } from '../../src/config/key.ts'
import { loadConfig } from '../../src/config/load.ts'
import { serverToken } from '../../src/config/server-token.ts'
import { sharedStore } from '../../src/config/shared-store.ts'
import { readSecrets } from '../../src/handlers/webhook-secrets.ts'
import { directoryWith } from '../support/config-files.ts'
import { built } from '../support/program.ts'

async function load(cwd: string, env: NodeJS.ProcessEnv) {
  return (await loadConfig({ env, cwd })).config
}

const readers: Readonly<Record<string, (cwd: string) => unknown>> = {
  'the configuration': async (cwd) => await load(cwd, { CLINK_WORKER_CONFIG: 'pipe' }),
  'clink.keyFile': async (cwd) => await loadKey(await load(cwd, { CLINK_API_KEY_FILE: 'pipe' }), {}),
  'state.urlFile': async (cwd) => await sharedStore(await load(cwd, { CLINK_STATE_URL_FILE: 'pipe' }), {}),
  'server.tokenFile': async (cwd) => serverToken((await load(cwd, { CLINK_WORKER_SERVER__TOKEN_FILE: 'pipe' })).server),
  'http.secretFile': async (cwd) => await readSecrets(join(cwd, 'pipe')),
  ...Object.fromEntries(
    ['sslrootcert', 'sslcert', 'sslkey'].map((name) => [
      `${name} of the address`,
      async (cwd: string) =>
        await sharedStore(await load(cwd, { CLINK_STATE_URL: `postgresql://h/b?${name}=${cwd}/pipe` }), {}),
    ]),
  ),
}

it.each(Object.entries(readers))('%s that is a named pipe is refused at once', async (_, read) => {
  const cwd = await directoryWith()
  spawnSync('mkfifo', [join(cwd, 'pipe')])
  await expect(Promise.resolve(read(cwd))).rejects.toThrow(/is a named pipe, not a file/)
})

it('what the shell hands over is read: the pipe of a command', async () => {
  const cwd = await directoryWith({ 'handlers/a.mjs': 'export default () => {}' })
  const command = 'CLINK_API_KEY_FILE=<(echo sk_live_u_0123456789abcdef) exec "$0" "$1" check'
  const said = execFileSync('bash', ['-c', command, process.execPath, built], { cwd, encoding: 'utf8' })
  expect(said).toMatch(/^key +ok +from \/dev\/fd\/\d+$/m)
})
