import { accessSync, constants } from 'node:fs'
import { asError, CodedError, systemCode } from '../base/coded-error.ts'
import { diskSpace } from './disk-space.ts'

/** SQLite's primary result codes that mean something to us. */
const BUSY = 5
const READ_ONLY = 8
const IO_ERROR = 10
const CORRUPT = 11
const FULL = 13
const TOO_BIG = 18
const CANNOT_OPEN = 14
const NOT_A_DATABASE = 26

/** Codes of the system: the disk is full; a disk fails, or too many files are open. */
const FULL_NOW = new Set(['ENOSPC', 'EDQUOT'])
const FAILS_NOW = new Set(['EIO', 'EMFILE', 'ENFILE'])

function primaryCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined
}

export const isBusy = (error: unknown): boolean => primaryCode(error) === BUSY
export const isFull = (error: unknown): boolean => primaryCode(error) === FULL || FULL_NOW.has(systemCode(error))
export const isTooBig = (error: unknown): boolean => primaryCode(error) === TOO_BIG
export const isCorrupt = (error: unknown): boolean => [CORRUPT, NOT_A_DATABASE].includes(primaryCode(error) ?? -1)

/** For people: what is wrong with writing, and what to do. */
export function writeProblem(error: unknown, directory: string): string {
  const code = primaryCode(error)
  if (isFull(error)) return fullText(directory)
  if (code === READ_ONLY) return READ_ONLY_DISK
  return asError(error).message
}

/**
 * Why a state directory cannot be used. A full or failing disk is a matter of the moment: whoever starts the worker again and again will
 * get it running without another hand. A directory that may not be written to, or that is none, stays wrong until somebody changes it.
 */
export function stateError(directory: string, message: (problem: string) => string, error: unknown): CodedError {
  const cause = asError(error)
  const code = primaryCode(error)
  const mayBeFull = code === CANNOT_OPEN || code === IO_ERROR
  // SQLite does not always say that it is the space which lacks.
  if (mayBeFull && diskSpace(directory).isFull)
    return new CodedError('STATE_UNAVAILABLE', message(fullText(directory)), { cause })
  const isOfTheMoment = isFull(error) || code === IO_ERROR || FAILS_NOW.has(systemCode(error))
  const why = code === CANNOT_OPEN ? whyNoWriting(directory) : systemCode(error)
  const problem = FORBIDDEN[why] ?? writeProblem(error, directory)
  return new CodedError(isOfTheMoment ? 'STATE_UNAVAILABLE' : 'STATE_UNUSABLE', message(problem), { cause })
}

/** On less a hundred clinks in hand, with texts and answers of the largest size, do not fit. */
const SMALLEST = 4_194_304
const NEEDED = 'a state directory needs 4 MiB at least'
const DISK_FULL = 'the disk is full: free some space'
const READ_ONLY_DISK = 'the file system is read-only: make it writable'
const FORBIDDEN: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there: give it to the user that the worker runs as, or run this as that user',
  EROFS: READ_ONLY_DISK,
}

/** Finds out why SQLite cannot open a file: its own error does not say. */
function whyNoWriting(directory: string): string {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK)
    return ''
  } catch (error) {
    return systemCode(error)
  }
}

function fullText(directory: string): string {
  const { size } = diskSpace(directory)
  return size < SMALLEST ? `${DISK_FULL}. It has ${Math.floor(size / 1_024)} KiB in all; ${NEEDED}` : DISK_FULL
}
