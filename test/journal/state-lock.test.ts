import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { lockState } from '../../src/journal/state-lock.ts'
import { TempDir } from '../support/temp-dir.ts'
import { thrownBy } from '../support/thrown.ts'
import { tryTo } from '../../src/base/try-to.ts'

vi.mock('../../src/base/host-time.ts', async (original) => ({
  ...(await original<object>()),
  wallNow: () => Date.UTC(2030, 0, 2, 3, 4, 5),
}))

let directory: TempDir
let owner: string
let lockFile: string

beforeEach(() => {
  directory = new TempDir()
  owner = join(directory.path, 'owner')
  lockFile = join(directory.path, 'lock.db')
})

afterEach(() => directory[Symbol.dispose]())

const lock = () => lockState(directory.path)
const failure = (path = directory.path): unknown => thrownBy(() => lockState(path))
const modeOf = (file: string): number => statSync(file).mode & 0o777
/** Files of the directory that this process has open. */
const opened = (): string[] =>
  readdirSync('/proc/self/fd')
    .map((fd) => tryTo(() => readlinkSync(`/proc/self/fd/${fd}`)) ?? '')
    .filter((file) => file.startsWith(directory.path))

describe('a state directory that is taken (P3)', () => {
  it('is refused to the next, which is told by whom, until it is given free', () => {
    const held = lock()
    const who = `pid ${process.pid} on ${hostname()}, since 2030-01-02T03:04:05.000Z`
    expect(readFileSync(owner, 'utf8')).toBe(`${who}\n`)
    expect(failure()).toMatchObject({
      code: 'STATE_BUSY',
      message: `state.directory: ${directory.path} is held by another worker (${who}); stop it, or give this one a directory of its own`,
    })
    held.release()
    expect([existsSync(owner), opened()]).toEqual([false, []])
    lock().release()
  })

  it('is refused also where nobody can tell by whom', () => {
    const held = lock()
    rmSync(owner)
    expect(failure()).toMatchObject({ message: expect.stringContaining('another worker (it does not say which);') })
    held.release()
    lock().release()
  })

  it('is given free without a word about who has it meanwhile, where it was taken away', () => {
    const held = lock()
    writeFileSync(owner, 'somebody else')
    held.release(false)
    expect([readFileSync(owner, 'utf8'), opened()]).toEqual(['somebody else', []])
  })
})

describe('a state directory whose lock was removed while it was held', () => {
  it('is refused as long as the other one has its journal (P3)', async () => {
    const journal = join(directory.path, 'journal.db')
    const script = `const { DatabaseSync } = require('node:sqlite'); globalThis.held = new DatabaseSync(process.argv[1])
      held.exec('PRAGMA locking_mode = EXCLUSIVE; CREATE TABLE t (x); BEGIN EXCLUSIVE'); console.log('held'); process.stdin.resume()`
    const holder = spawn(process.execPath, ['-e', script, journal], { stdio: ['pipe', 'pipe', 'inherit'] })
    await once(holder.stdout, 'data')
    expect(failure()).toMatchObject({
      code: 'STATE_BUSY',
      message: `state.directory: ${directory.path} is held by another worker (pid ${holder.pid}), although its file lock.db was removed; stop it first`,
    })
    expect([opened(), existsSync(owner)]).toEqual([[], false])
    // The lock is there now: who has only the journal is somebody who looks at it.
    lock().release()
    holder.stdin.end()
    await once(holder, 'exit')
  })
})

describe('a state directory', () => {
  it('is made for its owner alone, and so is what is in it (P13)', () => {
    const path = join(directory.path, 'state')
    const held = lockState(path)
    expect([path, join(path, 'lock.db'), join(path, 'owner')].map(modeOf)).toEqual([0o700, 0o600, 0o600])
    held.release()
  })

  it('that was open to others is closed to them', () => {
    for (const file of [lockFile, owner]) {
      writeFileSync(file, '')
      chmodSync(file, 0o666)
    }
    const held = lock()
    expect([lockFile, owner].map(modeOf)).toEqual([0o600, 0o600])
    held.release()
  })

  it('that is none is refused', () => {
    const path = join(directory.path, 'file')
    writeFileSync(path, '')
    expect(failure(path)).toMatchObject({
      code: 'STATE_UNUSABLE',
      message: `state.directory: ${path} cannot be used: it is not a directory`,
    })
  })

  it.each([
    ['the lock', 'lock.db', 'unable to open database file'],
    ['what would say who has it', 'owner', 'EISDIR: illegal operation on a directory, open'],
  ])('is refused where %s cannot be written, and is not held then', (_, name, why) => {
    mkdirSync(join(directory.path, name))
    expect(failure()).toMatchObject({
      code: 'STATE_UNUSABLE',
      message: expect.stringContaining(`state.directory: ${directory.path} cannot be used: ${why}`),
    })
    expect(opened()).toEqual([])
  })

  it('with a damaged lock is refused, with what to do: nothing is kept in it', () => {
    writeFileSync(lockFile, 'no lock at all. '.repeat(500))
    expect(failure()).toMatchObject({
      code: 'STATE_UNUSABLE',
      message: `the lock ${lockFile} is damaged; nothing is kept in it: remove it`,
    })
    expect(opened()).toEqual([])
  })

  it('with a lock that fails in another way is refused, and no worker is looked for', () => {
    {
      using other = new DatabaseSync(lockFile)
      other.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (x)')
    }
    mkdirSync(`${lockFile}-wal`)
    expect(failure()).toMatchObject({
      code: 'STATE_UNUSABLE',
      message: expect.stringContaining(`state.directory: ${directory.path} cannot be used: `),
    })
    expect(opened()).toEqual([])
  })
})
