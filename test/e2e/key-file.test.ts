import { readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { keysThat, seed } from '../support/key-owners.ts'
import { until } from '../support/until.ts'
import { Site } from '../support/command.ts'

const handler = `
export default async (clink, ctx) => {
  ctx.log.info('at work', { api: ctx.api })
  return 'done'
}
`
const config = `
poll: { interval: 50ms, maxInterval: 200ms }
log: { level: trace, format: json }
`

/** A worker whose key is in a file, as `key` says. */
async function open() {
  const site = await Site.open({ handler, config, emulator: { seed } })
  const file = join(site.directory, 'the-key')
  const put = async (key: string): Promise<void> => {
    await writeFile(`${file}.new`, `${key}\n`, { mode: 0o600 })
    await rename(`${file}.new`, file)
  }
  await put(site.emulator.key)
  const command = site.startWith({ CLINK_API_KEY: '', CLINK_API_KEY_FILE: file }, 'run')
  const says = async (text: string | RegExp): Promise<void> => {
    const said = (): boolean => (typeof text === 'string' ? command.output.includes(text) : text.test(command.output))
    await until(said, () => `it says ${String(text)}:\n${command.output}`, 30_000)
  }
  await says('worker.ready')
  const work = async (): Promise<string | undefined> => {
    const { clink_id: id } = site.emulator.send('ops', 'work', { from: 'bob' })
    await until(() => site.emulator.clink(id)?.status === 'completed', `${id} is completed`, 30_000)
    return keysThat(site.emulator, id, 'claimed').at(-1)
  }
  return { site, file, put, command, says, work }
}

async function filesBelow(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map(({ name, parentPath }) => join(parentPath, name))
  return (await Promise.all(files.map(async (file) => await readFile(file, 'latin1')))).join('\n')
}

describe.concurrent('§8: a key file of a running worker', { timeout: 60_000 }, () => {
  it('is read again when it changes, and no key is in the log or the state directory (P13)', async () => {
    const { site, put, command, says, work } = await open()
    await using _ = site
    const keys = Object.values(site.emulator.keys)
    expect(await work()).toBe('worker')
    await put(site.emulator.keys['next'] ?? '')
    await says('key.changed')
    expect(await work()).toBe('next')
    await put(site.emulator.keys['alice'] ?? '')
    await says(/"key.refused".*belongs to a user/)
    await put('sk_live_u_with=odd.characters/in:it')
    await says(/"key.refused".*the service refuses the key/)
    await put('an old note')
    await says(/"key.unusable".*the-key/)
    expect(await work()).toBe('next')
    const state = await filesBelow(join(site.directory, 'state'))
    command.signal('SIGTERM')
    expect(await command.exited, command.output).toBe(0)

    const after = await filesBelow(join(site.directory, 'state'))
    expect(state).toContain('ap_worker')
    for (const text of [...keys, 'odd.characters', 'an old note', 'sk_live_u', 'sk_live_g'])
      for (const place of [command.output, state, after]) expect(place).not.toContain(text)
  })

  it('is read on HUP, also when it holds what it held', async () => {
    const { site, command, says, work } = await open()
    await using _ = site
    site.emulator.suspendKey('worker')
    await says('worker.notReady')
    site.emulator.suspendKey('worker', false)
    const before = command.output.length
    command.signal('SIGHUP')
    await until(() => command.output.slice(before).includes('worker.ready'), 'it is ready at once', 10_000)
    expect(await work()).toBe('worker')
    command.signal('SIGTERM')
    expect(await command.exited, command.output).toBe(0)
  })
})
