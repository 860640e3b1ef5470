/** As `process.getActiveResourcesInfo` names what has a thread of Node's pool, or waits for one. */
const IN_POOL = /^(?:FSReq|FileHandleCloseReq|GetAddrInfo|GetNameInfo)/

/**
 * Ends the process with this code, whatever hangs. The ordinary exit waits for each thread of Node's pool, and one that reads a named pipe
 * or a file on a mount that hangs never comes back: then another program takes the place of this one, and ends at once.
 */
export function endProcess(code: number): void {
  const isWaitedFor = process.getActiveResourcesInfo().some((name) => IN_POOL.test(name))
  if (!isWaitedFor || process.execve === undefined) {
    // oxlint-disable-next-line unicorn/no-process-exit -- the one place: a handler may have left something that keeps us alive
    process.exit(code)
  }
  process.emit('exit', code)
  process.execve(process.execPath, [process.execPath, '--eval', `process.exitCode = ${code}`], {})
}
