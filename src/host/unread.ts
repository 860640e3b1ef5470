import { systemCode } from '../base/coded-error.ts'

const UNREAD = new Set(['EPIPE', 'ECONNRESET', 'EIO'])

/** Whether a write to a pipe, a socket or a terminal failed because nobody reads any more. */
export function isUnread(error: unknown): boolean {
  return UNREAD.has(systemCode(error))
}
