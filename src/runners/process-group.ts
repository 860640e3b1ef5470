import { sleep, type Clock } from '../base/clock.ts'
import { tryTo } from '../base/try-to.ts'
import { readProcesses, startOf, type Process } from './process-table.ts'

/** A group of processes that a worker has started. Numbers are used again: what else is known tells it from a later group. */
export interface ProcessGroup {
  /** The number of the group, which is that of the process that leads it; 0: it is not known yet. */
  readonly id: number
  /** When its leader was started, in the kernel's ticks since the boot. */
  readonly started: string
  /** The value of `CLINK_TASK_RUN` in the environment of its processes, and of all that they start, in whatever group. */
  readonly run: string
  /** It was there at each look since its leader has gone: its number has not been given away. */
  readonly isHeld?: boolean
}

/** What can be asked about process groups, and done to them. */
export interface ProcessGroups {
  /** Whether code of the group may still run, or code that has left it with its mark. */
  isAlive(group: ProcessGroup): Promise<boolean>
  /** Sends SIGKILL to all of that. @returns whether there was any: who waits for its end asks again. */
  end(group: ProcessGroup): Promise<boolean>
}

/** The least milliseconds from the beginning of one search to the next, and the least in lengths of the search itself. */
const APART = 100
const TIMES = 2

/** The kernel's, by `/proc`. Where there is none, nothing is known to be alive. All who ask within a while share one search. */
export class ProcessSearch implements ProcessGroups {
  readonly #clock: Clock
  #next: { since: number; readonly found: Promise<readonly Process[]> } | undefined
  #last: Promise<unknown> = Promise.resolve()
  #notBefore = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async isAlive(group: ProcessGroup): Promise<boolean> {
    return (await this.#find(group)).length > 0
  }

  async end(group: ProcessGroup): Promise<boolean> {
    const found = await this.#find(group)
    // One may just have ended, or belong to somebody else: whoever waits for it looks again.
    for (const { pid, started } of found) if (startOf(pid) === started) tryTo(() => process.kill(pid, 'SIGKILL'))
    return found.length > 0
  }

  async #find(group: ProcessGroup): Promise<readonly Process[]> {
    const since = Number(group.started)
    this.#next ??= { since, found: this.#search() }
    this.#next.since = Math.min(this.#next.since, since)
    return membersOf(group, await this.#next.found)
  }

  async #search(): Promise<readonly Process[]> {
    await this.#last
    await sleep(this.#clock, this.#notBefore - this.#clock.now())
    const since = this.#next?.since ?? 0
    // What is started from now on may be missed: whoever asks from now on gets the next one.
    this.#next = undefined
    const began = this.#clock.now()
    const search = readProcesses(since)
    this.#last = search
    const found = await search
    this.#notBefore = began + Math.max(APART, (this.#clock.now() - began) * TIMES)
    return found
  }
}

/**
 * A leader that was started at another time leads another group. Where the leader has gone, its number is not given away
 * while the group lives, but may have been since: unless it is held, only the mark tells.
 */
function membersOf({ id, started, run, isHeld = false }: ProcessGroup, all: readonly Process[]): readonly Process[] {
  const leader = all.find((process) => process.pid === id)
  const isIts = leader === undefined ? isHeld : leader.started === started
  return all.filter((process) => !process.isOver && (process.run === run || (isIts && process.group === id)))
}
