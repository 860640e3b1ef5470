import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { sleep, type Clock } from '../base/clock.ts'
import { asError } from '../base/coded-error.ts'
import { LONGEST } from '../base/cut-text.ts'
import { onAbort } from '../base/on-abort.ts'
import { tryTo } from '../base/try-to.ts'
import { HandlerAborted, type AbortCode } from '../handlers/handler.ts'
import { whyNotStarted } from '../handlers/programs.ts'
import type { ProgramTarget } from '../handlers/route.ts'
import { endGroup } from './end-group.ts'
import { writtenEnvelope } from './envelope.ts'
import { unavailable, type Outcome } from './outcome.ts'
import type { ProcessGroup, ProcessGroups } from './process-group.ts'
import { startOf } from './process-table.ts'
import { programEnvironment } from './program-environment.ts'
import { programOutcome } from './program-outcome.ts'
import { Kept, Lines } from './program-output.ts'
import type { Task } from './runner.ts'
import type { TaskSocket } from './task-socket.ts'
import type { Pass } from './task-tokens.ts'

/** Milliseconds that the output of a program may still take when nothing of it is left: who holds its pipe now is not found. */
const PARTING = 500

/** Where programs are noted, so that the next process can end what outlives this one. */
export interface ProgramNotes {
  /** To be noted before the program is given its clink. */
  note(clinkId: string, group: ProcessGroup): Promise<void>
  /** Nothing of it is left. */
  gone(clinkId: string, group: ProcessGroup): Promise<void>
}

export interface ExecParts {
  readonly clock: Clock
  readonly groups: ProcessGroups
  readonly notes: ProgramNotes
  readonly sockets: TaskSocket
}

/** One run of a program. */
export class ProgramRun {
  /** Resolves when nothing of it is left. */
  readonly ended: Promise<Outcome>
  readonly #task: Task
  readonly #target: ProgramTarget
  readonly #parts: ExecParts
  readonly #killed = new AbortController()
  /** While its leader runs, or others of its group. */
  #pid: number | undefined

  constructor(task: Task, target: ProgramTarget, parts: ExecParts) {
    this.#task = task
    this.#target = target
    this.#parts = parts
    this.ended = this.#run().catch((error: unknown) => unavailable(asError(error).message))
  }

  kill(): void {
    this.#killed.abort()
    this.#signal('SIGKILL')
  }

  async #run(): Promise<Outcome> {
    const { notes, sockets } = this.#parts
    const { clink } = this.#task.envelope
    const pass = await sockets.open(this.#task)
    const unborn: ProcessGroup = { id: 0, started: '', run: randomUUID() }
    try {
      // Its mark, before it runs; its number follows.
      await Promise.race([notes.note(clink.clink_id, unborn), this.#toEnd()])
      const abortedBy = this.#abortedBy
      if (abortedBy !== undefined) {
        return { outcome: 'failed', error: { name: 'HandlerAborted', message: abortedBy }, own: abortedBy }
      }
      const child = this.#spawn(pass, unborn.run)
      const { pid } = child
      if (pid === undefined) return unavailable(await whyNotStarted(await failureOf(child), this.#target))
      return await this.#supervise(child, { id: pid, started: startOf(pid) ?? '', run: unborn.run }, pass)
    } finally {
      pass.end()
      void notes.gone(clink.clink_id, unborn).catch(unnoted)
    }
  }

  #spawn(pass: Pass, run: string): ChildProcessWithoutNullStreams {
    const { env, envelope } = this.#task
    const { command, cwd, env: own } = this.#target
    const [program = '', ...args] = command
    const environment = programEnvironment(process.env, [own, env], envelope, pass, run)
    return spawn(program, args, { cwd, env: environment, detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
  }

  async #supervise(child: ChildProcessWithoutNullStreams, group: ProcessGroup, pass: Pass): Promise<Outcome> {
    const { services, signals } = this.#task
    this.#pid = child.pid
    const exited = new Promise<Exit>((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })))
    const closed = new Promise((resolve) => child.on('close', resolve))
    const output = new Kept(this.#target.output === 'none' ? 0 : this.#target.maxOutput)
    const lines = new Lines(LONGEST.error, this.#parts.clock, (line) => services.log('info', line))
    child.stdout.on('data', (chunk: Buffer) => output.add(chunk))
    child.stderr.setEncoding('utf8').on('data', (text: string) => lines.add(text))
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on('error', () => {})
    const leave = onAbort(signals.abort, () => this.#signal('SIGTERM', 'SIGCONT'))
    void this.#tell(child, group, pass)

    const exit = await exited
    leave()
    // What it has started and left behind. After an abort that has its grace as well.
    const abortedBy = this.#abortedBy
    const isHeld = this.#signal(abortedBy === undefined ? 'SIGKILL' : 0)
    // The number of its group is not given away as long as the group lives.
    if (!isHeld) this.#pid = undefined
    pass.end()
    await this.#nothingLeft({ ...group, isHeld }, abortedBy)
    // Where no process can be looked at, nobody has waited for what is left.
    this.#signal('SIGKILL')
    this.#pid = undefined
    await Promise.race([closed, sleep(this.#parts.clock, PARTING)])
    child.stdout.destroy()
    child.stderr.destroy()
    lines.end()
    const { asleep } = pass
    return programOutcome({ ...exit, output, lastWord: lines.last, abortedBy, asleep }, this.#target.output)
  }

  /** It is given its clink when the journal knows it. It may not want to read it. */
  async #tell(child: ChildProcessWithoutNullStreams, group: ProcessGroup, { address, token }: Pass): Promise<void> {
    const { envelope } = this.#task
    await this.#parts.notes.note(envelope.clink.clink_id, group).catch(unnoted)
    if (this.#pid === undefined) return
    child.stdin.end(`${JSON.stringify(writtenEnvelope(envelope, { socket: address, token }))}\n`)
  }

  async #nothingLeft(group: ProcessGroup, abortedBy: AbortCode | undefined): Promise<void> {
    const { clock, groups } = this.#parts
    const advice = `it has left processes behind that do not end: end them by hand: kill -KILL -- -${group.id}`
    const stays = (): void => this.#task.services.log('warn', advice)
    await endGroup(group, { clock, groups, stays, ...(abortedBy !== undefined && { mercy: this.#killed.signal }) })
  }

  /** To all of its group. @returns whether there is any of it. */
  #signal(...signals: readonly (NodeJS.Signals | 0)[]): boolean {
    const pid = this.#pid
    if (pid === undefined) return false
    return signals.map((signal) => tryTo(() => process.kill(-pid, signal)) === true).includes(true)
  }

  get #abortedBy(): AbortCode | undefined {
    const { abort } = this.#task.signals
    if (!abort.aborted) return this.#killed.signal.aborted ? 'cancelled' : undefined
    return abort.reason instanceof HandlerAborted ? abort.reason.code : 'cancelled'
  }

  /** Resolves when it is aborted or killed. Node would keep a signal made of both for good, and with it the run, where neither happens. */
  #toEnd(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    for (const signal of [this.#task.signals.abort, this.#killed.signal]) onAbort(signal, resolve)
    return promise
  }
}

interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

async function failureOf(child: ChildProcessWithoutNullStreams): Promise<Error> {
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on('error', () => {})
  return await new Promise((resolve) => child.on('error', resolve))
}

/** The journal says itself that it cannot be written. */
function unnoted(): void {}
