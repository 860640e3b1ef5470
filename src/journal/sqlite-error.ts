/** SQLite's primary result codes that mean something to us. */
const BUSY = 5
const READ_ONLY = 8
const CORRUPT = 11
const FULL = 13
const NOT_A_DATABASE = 26

function primaryCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined
}

export const isBusy = (error: unknown): boolean => primaryCode(error) === BUSY
export const isCorrupt = (error: unknown): boolean => [CORRUPT, NOT_A_DATABASE].includes(primaryCode(error) ?? -1)

/** For people: what is wrong with writing, and what to do. */
export function writeProblem(error: unknown): string {
  const code = primaryCode(error)
  if (code === FULL) return 'the disk is full: free some space'
  if (code === READ_ONLY) return 'the file system is read-only: make it writable'
  return error instanceof Error ? error.message : String(error)
}
