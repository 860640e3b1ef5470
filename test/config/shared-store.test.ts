import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { sharedStore } from '../../src/config/shared-store.ts'
import { directoryWith } from '../support/config-files.ts'

const url = (where: string): string => `postgresql://me:pa55word@${where}/base`

async function find(env: NodeJS.ProcessEnv, cwd: string) {
  const { config } = await loadConfig({ env, cwd })
  return await sharedStore(config, env)
}

describe('the address of the shared store', () => {
  it('is looked for in the environment and in the file, then among the credentials of systemd', async () => {
    const cwd = await directoryWith({ file: `${url('file')}\n`, 'credentials/clink-state-url': url('credential') })
    const CREDENTIALS_DIRECTORY = join(cwd, 'credentials')
    expect((await find({ CLINK_STATE_URL: url('env'), CREDENTIALS_DIRECTORY }, cwd))?.url.reveal()).toBe(url('env'))
    expect((await find({ CLINK_STATE_URL_FILE: 'file', CREDENTIALS_DIRECTORY }, cwd))?.url.reveal()).toBe(url('file'))
    expect((await find({ CREDENTIALS_DIRECTORY }, cwd))?.url.reveal()).toBe(url('credential'))
    expect(await find({ CREDENTIALS_DIRECTORY: '/nonexistent' }, cwd)).toBeUndefined()
    expect(await find({}, cwd)).toBeUndefined()
  })

  it('of a file that the environment names is stronger than one in the configuration file', async () => {
    const text = `state: { url: "${url('config')}", fleet: blue }`
    const cwd = await directoryWith({ 'clink-worker.yaml': text, file: url('file') })
    expect(await find({}, cwd)).toMatchObject({ fleet: 'blue' })
    expect((await find({}, cwd))?.url.reveal()).toBe(url('config'))
    expect((await find({ CLINK_STATE_URL_FILE: 'file' }, cwd))?.url.reveal()).toBe(url('file'))
  })

  it('may name a socket in place of a host', async () => {
    const cwd = await directoryWith()
    for (const text of ['postgres:///base?host=/run/postgresql', 'postgresql://me@/base?host=/run/postgresql'])
      expect((await find({ CLINK_STATE_URL: text }, cwd))?.url.reveal()).toBe(text)
  })

  it.each(['mysql://me:pa55word@host/base', 'pa55word', 'postgresql//me:pa55word@host'])(
    'that is none is an error which does not show it: %s',
    async (text) => {
      const cwd = await directoryWith({ file: text })
      for (const env of [{ CLINK_STATE_URL: text }, { CLINK_STATE_URL_FILE: 'file' }]) {
        const error: unknown = await find(env, cwd).catch((thrown: unknown) => thrown)
        expect(error).toMatchObject({ code: 'CONFIG_INVALID' })
        expect(inspect(error, { depth: 10 })).not.toContain('pa55word')
      }
    },
  )

  it.each([
    [{ CLINK_STATE_URL: 'pa55word' }, /^CLINK_STATE_URL is no address/],
    [{ CLINK_WORKER_STATE__URL: 'pa55word' }, /^state\.url is no address/],
    [
      { CLINK_STATE_URL_FILE: 'file' },
      /^state\.urlFile: \S+file has the unknown parameter ssl_mode; did you mean sslmode\?/,
    ],
  ])('that is wrong is blamed on where it stands: %j', async (env, message) => {
    const cwd = await directoryWith({ file: `${url('host')}?ssl_mode=require` })
    await expect(find(env, cwd)).rejects.toThrow(message)
  })

  it('of a certificate that is not there is an error that names the parameter and the file', async () => {
    const env = { CLINK_STATE_URL: `${url('host')}?sslmode=verify-full&sslrootcert=/none.pem` }
    await expect(find(env, await directoryWith())).rejects.toThrow(
      'CLINK_STATE_URL: the file /none.pem of sslrootcert: there is no such file',
    )
  })

  it.each([
    [0o600, []],
    [0o644, [expect.stringMatching(/the file of state\.urlFile \S+file is open to others \(mode 644\); chmod 600 it/)]],
  ])('in a file with mode %o', async (mode, warnings) => {
    const cwd = await directoryWith({ file: url('file') })
    await chmod(join(cwd, 'file'), mode)
    expect(await find({ CLINK_STATE_URL_FILE: 'file' }, cwd)).toMatchObject({ warnings })
  })

  it('in a file that is not there is an error that names the file', async () => {
    await expect(find({ CLINK_STATE_URL_FILE: '/nonexistent' }, await directoryWith())).rejects.toMatchObject({
      code: 'FILE_INVALID',
      message: expect.stringContaining('/nonexistent'),
    })
  })

  it('is shown by no configuration, however it is printed, and in no mistake of one', async () => {
    const cwd = await directoryWith()
    const { config } = await loadConfig({ env: { CLINK_STATE_URL: url('host') }, cwd })
    expect(`${inspect(config, { depth: 10 })} ${JSON.stringify(config)}`).not.toContain('pa55word')
    const broken = await directoryWith({ 'clink-worker.yaml': 'state: { url: ["postgresql://me:pa55word@host"] }' })
    const error: unknown = await loadConfig({ env: {}, cwd: broken }).catch((thrown: unknown) => thrown)
    expect(inspect(error, { depth: 10 })).not.toContain('pa55word')
  })
})
