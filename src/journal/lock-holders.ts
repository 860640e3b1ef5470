import { readdirSync, readFileSync, statSync } from 'node:fs'
import { tryTo } from '../base/try-to.ts'

/** Another process that has a lock on the file and has it open, as `/proc` tells; undefined: none that can be seen. */
export function otherHolder(file: string): number | undefined {
  return tryTo(() => {
    const { dev, ino } = statSync(file)
    const pids = readFileSync('/proc/locks', 'utf8')
      .split('\n')
      .flatMap((line) => {
        const [, pid, inode] = / (\d+) [0-9a-f]+:[0-9a-f]+:(\d+) /.exec(line) ?? []
        return Number(inode) === ino && Number(pid) !== process.pid ? [Number(pid)] : []
      })
    return pids.find((pid) => hasOpen(pid, { dev, ino }))
  })
}

/** Inodes of other file systems may have the same number. */
function hasOpen(pid: number, { dev, ino }: { readonly dev: number; readonly ino: number }): boolean {
  const opened = tryTo(() => readdirSync(`/proc/${pid}/fd`)) ?? []
  return opened.some((fd) => {
    const found = tryTo(() => statSync(`/proc/${pid}/fd/${fd}`))
    return found?.dev === dev && found.ino === ino
  })
}
