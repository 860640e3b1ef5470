import { tryTo } from '../base/try-to.ts'
import { wallNow } from '../base/host-time.ts'
import { isoTime } from '../base/time-text.ts'
import { existsSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CodedError } from '../base/coded-error.ts'
import { makeDirectory } from '../base/directory.ts'
import { makePrivate } from '../base/private-file.ts'
import { otherHolder } from './lock-holders.ts'
import { isBusy, isCorrupt, stateError } from './sqlite-error.ts'

/** File systems over a network (NFS, SMB, CIFS, SMB2, 9P, AFS): their locks are no proof that nobody else is there. */
const NETWORK = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x01021997, 0x5346414f])

/**
 * Makes the directory (mode 0700) where it is missing and takes it for this process. The lock is that of an exclusively locked
 * SQLite file, so the kernel ends it with the process, however that ends; the text beside it is for people.
 *
 * @throws {CodedError} STATE_BUSY when another worker holds it; STATE_UNAVAILABLE when it cannot be used for now, STATE_UNUSABLE
 *   when it cannot be used at all.
 */
export function lockState(directory: string) {
  try {
    makeDirectory(directory, 0o700)
    if (isOnNetwork(directory)) throw new CodedError('STATE_UNUSABLE', `state.directory: ${directory} ${ON_NETWORK}`)
  } catch (error) {
    if (error instanceof CodedError) throw error
    throw unusable(directory, error)
  }
  const owner = join(directory, 'owner')
  const isNew = !existsSync(join(directory, 'lock.db'))
  const lock = open(directory, owner)
  const holder = isNew ? otherHolder(join(directory, 'journal.db')) : undefined
  if (holder !== undefined) {
    lock.close()
    const text = `state.directory: ${directory} is held by another worker (pid ${holder}), although its file lock.db was removed; stop it first`
    throw new CodedError('STATE_BUSY', text)
  }
  try {
    makePrivate(owner)
    writeFileSync(owner, `pid ${process.pid} on ${hostname()}, since ${isoTime(wallNow())}\n`)
  } catch (error) {
    lock.close()
    throw unusable(directory, error)
  }
  return {
    /** @param isOurs whether the text for people is still about this process. */
    release: (isOurs = true): void => {
      if (isOurs) rmSync(owner, { force: true })
      lock.close()
    },
  }
}

export const ON_NETWORK = 'is on a network file system, whose locks cannot be relied on; use a local one'

export function isOnNetwork(directory: string): boolean {
  return NETWORK.has(statfsSync(directory).type)
}

function open(directory: string, owner: string): DatabaseSync {
  const lock = tryOpen(directory)
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    if (isCorrupt(error)) {
      const file = join(directory, 'lock.db')
      throw new CodedError('STATE_UNUSABLE', `the lock ${file} is damaged; nothing is kept in it: remove it`)
    }
    if (!isBusy(error)) throw unusable(directory, error)
    const who = tryTo(() => readFileSync(owner, 'utf8').trim()) ?? 'it does not say which'
    const text = `state.directory: ${directory} is held by another worker (${who}); stop it, or give this one a directory of its own`
    throw new CodedError('STATE_BUSY', text)
  }
}

function tryOpen(directory: string): DatabaseSync {
  try {
    const file = join(directory, 'lock.db')
    makePrivate(file)
    return new DatabaseSync(file)
  } catch (error) {
    throw unusable(directory, error)
  }
}

function unusable(directory: string, error: unknown): CodedError {
  return stateError(directory, (problem) => `state.directory: ${directory} cannot be used: ${problem}`, error)
}
