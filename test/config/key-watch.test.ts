import { spawnSync } from 'node:child_process'
import { rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Secret } from '../../src/base/secret.ts'
import { KeyWatch } from '../../src/config/key-watch.ts'
import { until } from '../support/until.ts'
import { directoryWith } from '../support/config-files.ts'

const INTERVAL = 40

/** A watched key file: `await using`. */
class Watched implements AsyncDisposable {
  readonly file: string
  readonly keys: string[] = []
  readonly problems: string[] = []
  readonly watch: KeyWatch

  constructor(file: string, first = 'sk_live_u_first') {
    this.file = file
    this.watch = new KeyWatch({
      file,
      first: new Secret(first),
      interval: INTERVAL,
      changed: async (key) => void this.keys.push(key.reveal()),
      unusable: (problem) => this.problems.push(problem),
    })
    this.watch.start()
  }

  static async open(): Promise<Watched> {
    const directory = await directoryWith({ key: 'sk_live_u_first\n' })
    return new Watched(join(directory, 'key'))
  }

  async has(key: string): Promise<void> {
    await until(() => this.keys.at(-1) === key, `${key} is told`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.watch.stop()
  }
}

it('tells a text that is written into the file, and one that another file brings (§8)', async () => {
  await using watched = await Watched.open()
  await writeFile(watched.file, 'sk_live_u_second\n')
  await watched.has('sk_live_u_second')
  await writeFile(`${watched.file}.new`, 'sk_live_u_third')
  await rename(`${watched.file}.new`, watched.file)
  await watched.has('sk_live_u_third')

  expect(watched.keys).toEqual(['sk_live_u_second', 'sk_live_u_third'])
  expect(watched.problems).toEqual([])
})

it('notices a secret that is exchanged behind a symbolic link, as Kubernetes does it (§8)', async () => {
  const directory = await directoryWith({ '1/key': 'sk_live_u_first', '2/key': 'sk_live_u_second' })
  await symlink('1', join(directory, 'data'))
  await symlink('data/key', join(directory, 'key'))
  await using watched = new Watched(join(directory, 'key'))
  await symlink('2', join(directory, 'next'))
  await rename(join(directory, 'next'), join(directory, 'data'))
  await watched.has('sk_live_u_second')
})

it('says once that the file is empty or gone, without the key, and goes on looking (§8, P13)', async () => {
  await using watched = await Watched.open()
  await writeFile(watched.file, ' \n')
  await until(() => watched.problems.length === 1, 'the problem is told')
  await rm(watched.file)
  await writeFile(watched.file, 'sk_live_u_second')
  await watched.has('sk_live_u_second')
  await rm(watched.file)
  await until(() => watched.problems.length === 2, 'the other problem is told')

  expect(watched.problems).toEqual([
    expect.stringContaining(`${watched.file} is empty`),
    expect.stringContaining(`${watched.file}: there is no such file`),
  ])
  expect(watched.problems.join()).not.toContain('sk_live_u')
})

it('says nothing of a file that is emptied before it is written (§8)', async () => {
  await using watched = await Watched.open()
  for (let n = 1; n <= 5; n += 1) {
    await writeFile(watched.file, '')
    await writeFile(watched.file, `sk_live_u_${n}`)
    await watched.has(`sk_live_u_${n}`)
  }

  expect(watched.problems).toEqual([])
})

it('does not tell the same text again, except when it is asked to read', async () => {
  await using watched = await Watched.open()
  await writeFile(watched.file, '  sk_live_u_first')
  await watched.watch.reload()
  await watched.watch.reload()

  expect(watched.keys).toEqual(['sk_live_u_first', 'sk_live_u_first'])
})

it('tells what changed between the first reading and its start', async () => {
  const directory = await directoryWith({ key: 'sk_live_u_second' })
  await using watched = new Watched(join(directory, 'key'), 'sk_live_u_first')
  await watched.has('sk_live_u_second')
})

it('tells nothing after it was stopped', async () => {
  const watched = await Watched.open()
  await watched.watch.stop()
  await writeFile(watched.file, 'sk_live_u_second')
  await watched.watch.reload()
  await watched.watch.stop()

  expect(watched.keys).toEqual([])
})

it('P12, §6: a named pipe is read once and not watched; asked to read it again, it says so and ends at once', async () => {
  const directory = await directoryWith({})
  const file = join(directory, 'key')
  spawnSync('mkfifo', [file])
  const watched = new Watched(file)
  await watched.watch.reload()
  await watched.watch.stop()

  expect(watched.keys).toEqual([])
  expect(watched.problems).toEqual([expect.stringContaining(`${file} is no regular file and was read once`)])
})
