import { readdirSync, readFileSync, statSync } from 'node:fs'

/** Another process that has a lock on the file and has it open, as `/proc` tells; undefined: none that can be seen. */
export function otherHolder(file: string): number | undefined {
  try {
    const { dev, ino } = statSync(file)
    const pids = readFileSync('/proc/locks', 'utf8')
      .split('\n')
      .flatMap((line) => {
        const [, pid, inode] = / (\d+) [0-9a-f]+:[0-9a-f]+:(\d+) /.exec(line) ?? []
        return Number(inode) === ino && Number(pid) !== process.pid ? [Number(pid)] : []
      })
    return pids.find((pid) => hasOpen(pid, { dev, ino }))
  } catch {
    return undefined
  }
}

/** Inodes of other file systems may have the same number. */
function hasOpen(pid: number, { dev, ino }: { readonly dev: number; readonly ino: number }): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const opened = statSync(`/proc/${pid}/fd/${fd}`, { throwIfNoEntry: false })
      return opened?.dev === dev && opened.ino === ino
    })
  } catch {
    return false
  }
}
