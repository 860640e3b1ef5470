import { userInfo } from 'node:os'
import { tryTo } from '../../base/try-to.ts'
import type { Wish } from '../../control/asked.ts'
import type { Io } from './io.ts'

export interface NoteOptions {
  readonly note?: string
}

/**
 * Who asks, for those who read later what was done: the user of this process, and whose wish that is where it was started by sudo. The socket
 * lets only the worker's own user and root in.
 */
export function wishOf({ note }: NoteOptions, { env }: Pick<Io, 'env'>): Pick<Wish, 'by'> & { readonly note?: string } {
  const { SUDO_USER: sudo } = env
  // A container may run as a user without a name.
  const name = tryTo(() => userInfo().username)
  const uid = process.getuid?.()
  const id = uid === undefined ? '' : `uid ${uid}`
  const known = sudo === undefined || sudo === name ? name : `${sudo} as ${name ?? 'another'}`
  const by = known === undefined ? id : id === '' ? known : `${known} (${id})`
  return { by: by.slice(0, LONGEST_NAME), ...(note !== undefined && note.trim() !== '' && { note: note.trim() }) }
}

const LONGEST_NAME = 200
