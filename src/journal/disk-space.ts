import { statfsSync } from 'node:fs'
import { tryTo } from '../base/try-to.ts'

/**
 * Bytes that the file system of a directory has in all, and has left, and whether another file fits. If the system does
 * not tell, there are no bounds.
 */
export function diskSpace(directory: string) {
  const found = tryTo(() => statfsSync(directory))
  if (found === undefined) return { size: Infinity, free: Infinity, isFull: false }
  const { bavail, blocks, bsize, ffree, files } = found
  return { size: blocks * bsize, free: bavail * bsize, isFull: bavail === 0 || (files > 0 && ffree === 0) }
}
