import { readdirSync, readFileSync } from 'node:fs'
import { tryTo } from '../base/try-to.ts'

/** A group of processes that a worker has started. Numbers are used again: what else is known tells it from a later group. */
export interface ProcessGroup {
  /** The number of the group, which is that of the process that leads it. */
  readonly id: number
  /** When its leader was started, in the kernel's ticks since the boot. */
  readonly started: string
  /** The value of `CLINK_TASK_RUN` in the environment of its processes. */
  readonly run: string
}

/** What can be asked about process groups, and done to them. */
export interface ProcessGroups {
  /** Whether code of the group may still run. */
  isAlive(group: ProcessGroup): boolean
  /** Sends SIGKILL to all of the group. Nothing where it is gone, or not ours to end. */
  kill(group: ProcessGroup): void
}

/** The kernel's, by `/proc`. Where there is none, nothing is known to be alive. */
export const kernelGroups: ProcessGroups = {
  isAlive: (group) => membersOf(group).length > 0,
  kill: (group) => {
    // One may just have ended, or belong to somebody else: whoever waits for it looks again.
    for (const { pid } of membersOf(group)) tryTo(() => process.kill(pid, 'SIGKILL'))
  },
}

interface Process {
  readonly pid: number
  readonly group: number
  readonly started: string
  /** It has ended, and only waits for its parent to ask how. */
  readonly isOver: boolean
}

/** When a process was started, in the kernel's ticks since the boot; undefined: there is none, or it has ended. */
export function startOf(pid: number): string | undefined {
  const process = readProcess(pid)
  return process?.isOver === false ? process.started : undefined
}

/**
 * A leader that was started at another time leads another group. Where the leader has gone, its number is not given away
 * while the group lives, but may have been since: then the environment tells.
 */
function membersOf({ id, started, run }: ProcessGroup): readonly Process[] {
  const members = processes().filter(({ group }) => group === id)
  const leader = members.find(({ pid }) => pid === id)
  if (leader !== undefined && leader.started !== started) return []
  const running = members.filter(({ isOver }) => !isOver)
  return leader === undefined ? running.filter(({ pid }) => isOfRun(pid, run)) : running
}

function processes(): readonly Process[] {
  const names = tryTo(() => readdirSync('/proc')) ?? []
  return names.flatMap((name) => (/^\d+$/.test(name) ? (readProcess(Number(name)) ?? []) : []))
}

/** The second word of the line is the program's name in parentheses, and may hold anything. */
function readProcess(pid: number): Process | undefined {
  const line = tryTo(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  if (line === undefined) return undefined
  const [state = '', , group = '', ...rest] = line.slice(line.lastIndexOf(')') + 2).split(' ')
  return { pid, group: Number(group), started: rest[16] ?? '', isOver: state === 'Z' || state === 'X' }
}

function isOfRun(pid: number, run: string): boolean {
  const environment = tryTo(() => readFileSync(`/proc/${pid}/environ`, 'utf8')) ?? ''
  return environment.split('\0').includes(`CLINK_TASK_RUN=${run}`)
}
