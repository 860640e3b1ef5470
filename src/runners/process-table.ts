import { readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { tryTo } from '../base/try-to.ts'

/** A process as the kernel shows it in `/proc`. */
export interface Process {
  readonly pid: number
  readonly group: number
  /** When it was started, in the kernel's ticks since the boot. Numbers are used again: this tells it from a later one. */
  readonly started: string
  /** It has ended, and only waits for its parent to ask how. */
  readonly isOver: boolean
  /** The value of `CLINK_TASK_RUN` in its environment. Nobody can read that of another user's process. */
  readonly run?: string | undefined
}

/** How many processes are looked at side by side: Node has four threads for all files. */
const AT_ONCE = 8
const MARK = 'CLINK_TASK_RUN='

/** When a process was started; undefined: there is none, or it has ended. */
export function startOf(pid: number): string | undefined {
  const process = parse(
    pid,
    tryTo(() => readFileSync(`/proc/${pid}/stat`, 'utf8')),
  )
  return process?.isOver === false ? process.started : undefined
}

/**
 * All processes there are. Without `/proc` there are none.
 *
 * @param since ticks. What was started before cannot descend from what was started then, so its mark is not looked for.
 */
export async function readProcesses(since: number): Promise<readonly Process[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number)
  const found: Process[] = []
  const next = pids.values()
  const read = async (): Promise<void> => {
    for (const pid of next) {
      const process = await readProcess(pid, since)
      if (process !== undefined) found.push(process)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, read))
  return found
}

async function readProcess(pid: number, since: number): Promise<Process | undefined> {
  const process = parse(pid, await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined))
  if (process === undefined || process.isOver || Number(process.started) < since) return process
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
  const mark = environment.split('\0').find((variable) => variable.startsWith(MARK))
  return { ...process, run: mark?.slice(MARK.length) }
}

/** The second word of the line is the program's name in parentheses, and may hold anything. */
function parse(pid: number, line: string | undefined): Process | undefined {
  if (line === undefined) return undefined
  const [state = '', , group = '', ...rest] = line.slice(line.lastIndexOf(')') + 2).split(' ')
  return { pid, group: Number(group), started: rest[16] ?? '', isOver: state === 'Z' || state === 'X' }
}
