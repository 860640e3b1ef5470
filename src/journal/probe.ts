import { accessSync, constants, lstatSync, mkdtempSync, rmdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { tryTo } from '../base/try-to.ts'
import { CodedError } from '../base/coded-error.ts'
import { diskSpace } from './disk-space.ts'
import { stateError } from './sqlite-error.ts'
import { isOnNetwork, ON_NETWORK } from './state-lock.ts'

/** What a worker opens to write. */
const WRITTEN = ['lock.db', 'journal.db', 'owner'] as const

/**
 * Whether a worker could use a state directory, apart from another one that may have it. Nothing of it is made or changed: what is tried is a
 * new directory in it, or in what there is above it, which is removed at once.
 *
 * @throws {CodedError} STATE_UNAVAILABLE or STATE_UNUSABLE, as `openState` would.
 */
export function probeState(directory: string): void {
  try {
    const there = nearest(directory)
    rmdirSync(mkdtempSync(join(there, '.clink-worker-')))
    // A directory may still fit where no file does.
    if (diskSpace(there).isFull) throw Object.assign(new Error('the disk is full'), { code: 'ENOSPC' })
    if (isOnNetwork(there)) throw new CodedError('STATE_UNUSABLE', ON_NETWORK)
    for (const name of WRITTEN) probeFile(join(directory, name))
  } catch (error) {
    if (error instanceof CodedError) throw error
    throw stateError(directory, (problem) => `cannot be used: ${problem}`, error)
  }
}

/** It, or the first above it that there is. */
function nearest(directory: string): string {
  const found = statSync(directory, { throwIfNoEntry: false })
  if (found?.isDirectory() === true) return directory
  if (found !== undefined) throw new Error('it is not a directory')
  if (tryTo(() => lstatSync(directory))?.isSymbolicLink() === true) throw new Error('it is a link that leads nowhere')
  return nearest(dirname(directory))
}

function probeFile(file: string): void {
  const found = tryTo(() => statSync(file))
  if (found === undefined) return
  if (!found.isFile()) throw new Error(`${file} is not a file`)
  accessSync(file, constants.R_OK | constants.W_OK)
}
