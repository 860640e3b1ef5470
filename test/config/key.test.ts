import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CodedError } from '../../src/base/coded-error.ts'
import { loadKey, type LoadedKey } from '../../src/config/key.ts'
import { loadConfig } from '../../src/config/load.ts'
import { directoryWith } from '../support/config-files.ts'

async function find(env: NodeJS.ProcessEnv, cwd: string): Promise<LoadedKey> {
  const { config } = await loadConfig({ env, cwd })
  return await loadKey(config, env)
}

async function failure(env: NodeJS.ProcessEnv, cwd: string): Promise<CodedError> {
  const error: unknown = await find(env, cwd).catch((thrown: unknown) => thrown)
  if (error instanceof CodedError) return error
  throw new Error('a key was found', { cause: error })
}

describe('the API key', () => {
  it('is looked for in the environment and in the key file, then among the credentials of systemd', async () => {
    const cwd = await directoryWith({ key: 'sk_live_u_file\n', 'credentials/clink-api-key': 'sk_live_u_credential' })
    await chmod(join(cwd, 'key'), 0o600)
    const env = { CLINK_API_KEY_FILE: 'key', CREDENTIALS_DIRECTORY: join(cwd, 'credentials') }

    const first = await find({ ...env, CLINK_API_KEY: 'sk_live_u_env', CLINK_API_KEY_FILE: '' }, cwd)
    expect([first.key.reveal(), first.from]).toEqual(['sk_live_u_env', 'CLINK_API_KEY'])
    const second = await find({ ...env, CLINK_API_KEY: '' }, cwd)
    expect([second.key.reveal(), second.from, second.warnings]).toEqual(['sk_live_u_file', join(cwd, 'key'), []])
    const third = await find({ CREDENTIALS_DIRECTORY: env.CREDENTIALS_DIRECTORY }, cwd)
    expect([third.key.reveal(), third.from]).toEqual(['sk_live_u_credential', 'the systemd credential clink-api-key'])
  })

  it('of a file that the environment names is stronger than one in the configuration file', async () => {
    const cwd = await directoryWith({ 'clink-worker.yaml': 'clink: { key: sk_live_u_config }', key: 'sk_live_u_file' })
    expect((await find({}, cwd)).from).toBe('clink.key')
    expect((await find({ CLINK_API_KEY_FILE: 'key' }, cwd)).key.reveal()).toBe('sk_live_u_file')
    expect((await find({ CLINK_API_KEY: 'sk_live_u_env' }, cwd)).key.reveal()).toBe('sk_live_u_env')
  })

  it.each([
    [0o600, false],
    [0o400, false],
    [0o640, true],
    [0o604, true],
  ])('in a file with mode %o', async (mode, isWarned) => {
    const cwd = await directoryWith({ key: 'sk_live_u_file' })
    await chmod(join(cwd, 'key'), mode)
    const { warnings } = await find({ CLINK_API_KEY_FILE: 'key' }, cwd)
    expect(warnings.map((warning) => warning.includes('open to others'))).toEqual(isWarned ? [true] : [])
  })

  it('that is nowhere is an error that says which ways there are', async () => {
    const error = await failure({ CREDENTIALS_DIRECTORY: '/nonexistent' }, await directoryWith())
    expect(error.code).toBe('KEY_MISSING')
    for (const way of ['CLINK_API_KEY', 'clink.keyFile', 'CLINK_API_KEY_FILE', 'LoadCredential=clink-api-key']) {
      expect(error.message).toContain(way)
    }
  })

  it.each([
    ['missing', 'there is no such file'],
    ['empty', 'is empty'],
    ['.', 'it is a directory, not a file'],
  ])('in a file that is %s is an error that names the file', async (name, message) => {
    const cwd = await directoryWith({ empty: ' \n' })
    const error = await failure({ CLINK_API_KEY_FILE: name }, cwd)
    expect(error.code).toBe('FILE_INVALID')
    expect(error.message).toContain(join(cwd, name))
    expect(error.message).toContain(message)
  })
})
