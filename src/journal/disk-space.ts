import { statfsSync } from 'node:fs'

/**
 * Bytes that the file system of a directory has in all, and has left, and whether another file fits. If the system does
 * not tell, there are no bounds.
 */
export function diskSpace(directory: string): {
  readonly size: number
  readonly free: number
  readonly isFull: boolean
} {
  try {
    const { bavail, blocks, bsize, ffree, files } = statfsSync(directory)
    return { size: blocks * bsize, free: bavail * bsize, isFull: bavail === 0 || (files > 0 && ffree === 0) }
  } catch {
    return { size: Infinity, free: Infinity, isFull: false }
  }
}
