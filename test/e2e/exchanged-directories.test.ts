import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Cli } from '../support/cli.ts'
import { handler, logLines, Site } from '../support/site.ts'
import { until } from '../support/until.ts'

const answering = (text: string): string => handler(`return '${text}'`)
const importing = (file: string): string => `import { text } from '${file}'\n${handler('return text')}`

/** The text of the answer to a clink that is sent now. */
async function answered(site: Site): Promise<string | undefined> {
  const { clink_id: id } = site.emulator.send('ops', 'work', { from: 'alice' })
  await until(() => site.emulator.clink(id)?.status === 'completed', 'the answer')
  const answers = site.emulator.clinks().filter(({ for: to }) => to === 'user_alice')
  return answers.at(-1)?.content.split('\n')[0]
}

function facts(worker: Cli, name: string): readonly unknown[] {
  // The last line may be half written.
  return logLines(worker.stdout.slice(0, worker.stdout.lastIndexOf('\n') + 1)).filter(({ event }) => event === name)
}

/** Resolves when the worker has said it once more. */
async function again(worker: Cli, name: string, act: () => Promise<void>): Promise<void> {
  const before = facts(worker, name).length
  await act()
  await until(() => facts(worker, name).length > before, `${name} once more`)
}

/**
 * Files as Kubernetes mounts them: each name leads to `..data/<name>`, and `..data` to a directory of its own for each state. A new
 * state is made beside the old one, `..data` is exchanged in one step, and the old directory is removed.
 */
class Mounted {
  readonly #path: string
  #state = 0

  constructor(path: string) {
    this.#path = path
  }

  async set(files: Readonly<Record<string, string>>): Promise<void> {
    const old = `..2026_11_27_0${this.#state}`
    this.#state += 1
    const now = `..2026_11_27_0${this.#state}`
    await mkdir(join(this.#path, now), { recursive: true })
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(this.#path, now, name), text)
      if (this.#state === 1) await symlink(join('..data', name), join(this.#path, name))
    }
    await symlink(now, join(this.#path, '..data_tmp'))
    await rename(join(this.#path, '..data_tmp'), join(this.#path, '..data'))
    await rm(join(this.#path, old), { recursive: true, force: true })
  }
}

describe.each(['inline', 'thread'] as const)('with runner: %s (§4)', { timeout: 120_000 }, (runner) => {
  const settings = ['--set', 'handlers.watch=true', '--set', `handlers.runner=${runner}`]

  it('a directory of handlers that is moved away and back is used again, and one in its place too', async () => {
    await using site = await Site.start({ 'handlers/h.mjs': answering('one') })
    await using worker = site.run(...settings)
    const [directory, aside] = [join(site.dir.path, 'handlers'), join(site.dir.path, 'aside')]
    await worker.said(/worker\.ready/)
    expect(await answered(site)).toBe('one')

    await again(worker, 'handlers.failed', async () => await rename(directory, aside))
    expect(await answered(site)).toBe('one')
    await again(worker, 'handlers.loaded', async () => await rename(aside, directory))
    expect(await answered(site)).toBe('one')
    await again(worker, 'handlers.loaded', async () => {
      await writeFile(join(directory, 'h.mjs'), answering('two'))
    })
    expect(await answered(site)).toBe('two')

    await site.dir.write({ 'next/h.mjs': answering('three') })
    await again(worker, 'handlers.loaded', async () => {
      await rename(directory, aside)
      await rename(join(site.dir.path, 'next'), directory)
    })
    expect(await answered(site)).toBe('three')
    await again(worker, 'handlers.loaded', async () => {
      await writeFile(join(directory, 'h.mjs'), answering('four'))
    })
    expect(await answered(site)).toBe('four')
  })

  it('handlers, and what they import, are loaded again each time that ..data is exchanged', async () => {
    await using site = await Site.start()
    const mounted = new Mounted(join(site.dir.path, 'handlers'))
    const state = (text: string) => ({
      'h.mjs': importing('./_text.mjs'),
      '_text.mjs': `export const text = '${text}'\n`,
    })
    await mounted.set(state('state 1'))
    await using worker = site.run(...settings)
    await worker.said(/worker\.ready/)
    expect(await answered(site)).toBe('state 1')
    for (const text of ['state 2', 'state 3', 'state 4']) {
      await again(worker, 'handlers.loaded', async () => await mounted.set(state(text)))
      expect(await answered(site)).toBe(text)
    }
    await again(
      worker,
      'handlers.failed',
      async () => await mounted.set({ ...state('bad'), 'h.mjs': 'export default = 1' }),
    )
    expect(await answered(site)).toBe('state 4')
    await again(worker, 'handlers.loaded', async () => await mounted.set(state('state 6')))
    expect(await answered(site)).toBe('state 6')
  })

  it('a configuration is read again each time that ..data is exchanged, with its routes', async () => {
    await using site = await Site.start({ 'a.mjs': answering('a'), 'b.mjs': answering('b') })
    const mounted = new Mounted(join(site.dir.path, 'etc'))
    const state = (name: string, text = '') => ({
      'config.yaml': `routes: [{ name: ${name}, use: ../${name}.mjs }]\n${text}`,
    })
    await mounted.set(state('a'))
    await using worker = site.run('--config', 'etc/config.yaml', ...settings)
    await worker.said(/worker\.ready/)
    expect(await answered(site)).toBe('a')
    await again(worker, 'config.reloaded', async () => await mounted.set(state('b')))
    expect(await answered(site)).toBe('b')
    await again(worker, 'config.failed', async () => await mounted.set(state('a', 'pol: 1\n')))
    expect(await answered(site)).toBe('b')
    await again(worker, 'config.reloaded', async () => await mounted.set(state('a')))
    expect(await answered(site)).toBe('a')
  })
})
