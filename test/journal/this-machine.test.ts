import type * as files from 'node:fs'
import { mkdirSync, realpathSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { comparePlaces } from '../../src/journal/place.ts'
import { TempDir } from '../support/temp-dir.ts'

/** Where the system's files are: a directory of the test's. */
const system = vi.hoisted(() => ({ root: '' }))

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof files>()
  const at = (path: string): string => (/^\/(etc|sys)\//.test(path) ? `${system.root}${path}` : path)
  return {
    ...fs,
    existsSync: (path: string) => fs.existsSync(at(path)),
    readdirSync: (path: string) => fs.readdirSync(at(path)),
    readFileSync: (path: string, encoding: 'utf8') => fs.readFileSync(at(path), encoding),
  }
})

const ID = '0123456789abcdef0123456789abcdef'

let root: TempDir
let directory: string

beforeEach(() => {
  root = new TempDir()
  system.root = root.path
  directory = join(root.path, 'state')
  mkdirSync(directory)
})

afterEach(() => root[Symbol.dispose]())

/** What is noted for the next start. */
const noted = (): unknown => JSON.parse(comparePlaces(undefined, directory).now)
const isOurs = (before: string | undefined): boolean => comparePlaces(before, directory).isOurs
const card = (name: string, address: string, isReal = true): Record<string, string> => ({
  [`sys/class/net/${name}/address`]: address,
  ...(isReal ? { [`sys/class/net/${name}/device/vendor`]: '0x1af4' } : {}),
})

describe('what is noted of the place of a state directory', () => {
  const inode = (): string => {
    const { birthtimeNs, ino } = statSync(directory, { bigint: true })
    return `${ino} ${birthtimeNs}`
  }

  it('is its path, the machine, the directory and prints of the network cards', async () => {
    await root.write({
      'etc/machine-id': `${ID}\n`,
      ...card('eth0', '02:00:00:00:00:01\n'),
      ...card('eth1', '02:00:00:00:00:02\n'),
      // Of software, and without an address.
      ...card('br0', '02:00:00:00:00:03\n', false),
      ...card('tun0', '\n'),
    })
    mkdirSync(join(root.path, 'sys/class/net/odd/device'), { recursive: true })
    expect(noted()).toEqual({
      path: realpathSync(directory),
      machine: ID,
      directory: inode(),
      // Of machine and card: another print would make all directories strange ones.
      cards: ['c075735250954028', 'fee7468f23d64c31'],
    })
  })

  it('is only the directory where the system tells nothing of the machine', () => {
    expect(noted()).toEqual({ path: realpathSync(directory), machine: '', directory: inode(), cards: [] })
  })

  it.each([
    ['that is not made yet', 'uninitialized\n'],
    ['that is longer', `${ID}0\n`],
    ['with something before it', `id ${ID}\n`],
  ])('is no machine by an id %s', async (_, id) => {
    await root.write({ 'etc/machine-id': id })
    expect(noted()).toMatchObject({ machine: '' })
  })
})

describe('§7: a state directory is ours', () => {
  it('when nothing was noted of it, and with its own note, by whatever path it is called', () => {
    const { now } = comparePlaces(undefined, directory)
    const link = join(root.path, 'link')
    symlinkSync(directory, link)
    expect([isOurs(undefined), isOurs(now), comparePlaces(now, link).isOurs]).toEqual([true, true, true])
    rmSync(link)
  })

  it('with the note of an early version, by the name of the machine where it has no id', async () => {
    const old = [`${hostname()} ${realpathSync(directory)}`, `${ID} ${realpathSync(directory)}`]
    expect(old.map(isOurs)).toEqual([true, false])
    await root.write({ 'etc/machine-id': ID })
    expect(old.map(isOurs)).toEqual([false, true])
  })

  it('not with a note that nobody understands', () => {
    expect(isOurs('{"path":7}')).toBe(false)
  })
})
