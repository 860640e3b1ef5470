import { existsSync, readFileSync } from 'node:fs'

/** The system counts the time of processors in hundredths of seconds, which are so many microseconds each. */
const TICK_MICROSECONDS = 10_000

/** Microseconds of CPU that a process has used, with all its threads. */
export function cpuOf(pid: number | undefined): number {
  const stat = existsSync(`/proc/${pid}`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : ''
  const fields = stat.split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * TICK_MICROSECONDS
}
