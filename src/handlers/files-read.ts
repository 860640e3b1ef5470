import { createHash } from 'node:crypto'

/** Files that take part in one loading, by absolute path: the digest of what it has read of each; undefined: nothing, or not itself. */
export type FilesRead = ReadonlyMap<string, string | undefined>

export const NO_FILES: FilesRead = new Map()

export function digest(content: ArrayBuffer | NodeJS.ArrayBufferView | string): string {
  const bytes = content instanceof ArrayBuffer ? new Uint8Array(content) : content
  return createHash('sha256').update(bytes).digest('base64')
}
