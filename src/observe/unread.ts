/** Whether a write failed because nobody reads any more: the pipe is closed, or the terminal is gone. */
export function isUnread({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EPIPE' || code === 'EIO'
}
