import type { ErrorFact } from '../../src/base/error-fact.ts'
import type { Outcome } from '../../src/runners/outcome.ts'
import type { Runner, Running, Task } from '../../src/runners/runner.ts'
import { HandlerAborted, type HandleFunction } from '../../src/handlers/handler.ts'
import type { Chance } from './chance.ts'
import { Program } from './program.ts'
import type { AwayRecord, Record, RunRecord } from './record.ts'
import type { Host, VirtualTime } from './virtual-time.ts'
import type { RunnerPlan } from './world.ts'

export interface SimulatedRunnerParts {
  readonly life: string
  readonly host: Host
  readonly time: VirtualTime
  readonly record: Record
  readonly chance: Chance
  readonly plan: RunnerPlan
  /** Milliseconds: runs are about as long as that. */
  readonly lease: number
  /** As of a configuration, in milliseconds. */
  readonly outage: number
  readonly handle: (program: Program) => HandleFunction
}

/** What becomes of a run that nobody lets come to its end. */
const KILLS: readonly ErrorFact[] = [
  { name: 'ProgramKilled', message: 'the program was killed by SIGSEGV', code: 'SIGSEGV' },
  { name: 'ProgramKilled', message: 'the program was killed by SIGKILL: out of memory', code: 'SIGKILL' },
  { name: 'Error', message: 'the handler needed more memory than a thread may have' },
]
/** By the worker. */
export const ENDED = 'the handler was ended'
/** Everything has an end: what was started so often is not killed any more. */
const MOST_KILLS = 5

/** Runs handlers as a program, a thread or an application would, whose ways are not those of the worker's own process. */
export class SimulatedRunner implements Runner {
  readonly #parts: SimulatedRunnerParts

  constructor(parts: SimulatedRunnerParts) {
    this.#parts = parts
  }

  start(task: Task): Running {
    const { plan, record } = this.#parts
    const isAway = plan.away?.times.some(({ from, to }) => record.now >= from && record.now < to)
    if (isAway === true) return { ended: this.#showsThatItIsAway(task) }
    const program = new Program(this.#parts.host, record, this.#parts.outage)
    const begun = this.#begin(program, task)
    this.#perhapsKill(program, task)
    const canKill = plan.killed !== undefined || plan.late !== undefined || plan.isSlowToEnd === true
    return {
      ended: program.ended,
      ...(begun !== undefined && { begun }),
      ...(canKill && { kill: () => program.kill({ name: 'Error', message: ENDED }) }),
    }
  }

  /** @returns what resolves when its code has begun, where that takes its time. */
  #begin(program: Program, task: Task): Promise<void> | undefined {
    const { chance, handle, plan, record } = this.#parts
    const { clink_id: clinkId } = task.envelope.clink
    const { part = 0, slowest = 0 } = plan.late ?? {}
    const draws = chance.fork(`late ${clinkId} ${record.runsByClink.get(clinkId)?.length ?? 0}`)
    if (plan.late !== undefined && draws.is(part)) return this.#beginLate(program, task, draws.logarithmic(1, slowest))
    program.begin(handle(program), task)
    return undefined
  }

  /** What is to end before it has begun never begins. */
  async #beginLate(program: Program, task: Task, ms: number): Promise<void> {
    const { handle, life, record, time } = this.#parts
    const { attempt, clink } = task.envelope
    const { now } = record
    const run: RunRecord = { life, clinkId: clink.clink_id, attempt, startedAt: now, begunAt: Infinity }
    record.addRun(run)
    record.say(life, `  run ${run.clinkId} is on its way, attempt ${attempt}`)
    program.opened = run
    const { promise, resolve } = Promise.withResolvers<void>()
    const stop = (): void => {
      const { reason } = task.signals.abort
      run.abortedAt = record.now
      if (reason instanceof HandlerAborted) run.abortCode = reason.code
      program.kill({ name: 'HandlerAborted', message: String(reason) })
    }
    task.signals.abort.addEventListener('abort', stop)
    const begin = (): void => {
      task.signals.abort.removeEventListener('abort', stop)
      run.begunAt = record.now
      program.begin(handle(program), task)
      resolve()
    }
    time.at(time.now + ms, begin, program)
    await promise
  }

  /** Perhaps it does not come to its own end. */
  #perhapsKill(program: Program, { envelope }: Task): void {
    const { chance, host, lease, plan, record, time } = this.#parts
    const { clink_id: clinkId } = envelope.clink
    const runs = record.runsByClink.get(clinkId)?.length ?? 0
    const draws = chance.fork(`kill ${clinkId} ${runs}`)
    if (runs > MOST_KILLS || !draws.is(plan.killed?.part ?? 0)) return
    const error = draws.pick(KILLS)
    time.at(time.now + draws.logarithmic(1, lease), () => program.kill(error), host)
  }

  async #showsThatItIsAway({ envelope, signals }: Task): Promise<Outcome> {
    const { chance, host, life, plan, record, time } = this.#parts
    const { clink_id: clinkId } = envelope.clink
    const start: AwayRecord = { life, clinkId, attempt: envelope.attempt, startedAt: record.now }
    record.addAwayStart(start)
    record.say(life, `  what runs ${clinkId} is away, attempt ${envelope.attempt}`)
    const draws = chance.fork(`away ${clinkId} ${record.awayStarts.length}`)
    const ms = draws.logarithmic(1, plan.away?.slowest ?? 1)
    return await new Promise<Outcome>((resolve) => {
      const end = (isAborted: boolean, outcome: Outcome): void => {
        if (start.endedAt !== undefined) return
        start.endedAt = record.now
        if (isAborted) start.isAborted = true
        record.say(life, `  that ${clinkId} could not be begun is ${isAborted ? 'of no account any more' : 'seen'}`)
        resolve(outcome)
      }
      const aborted: Outcome = { outcome: 'failed', error: { name: 'HandlerAborted', message: 'aborted' } }
      time.at(time.now + ms, () => end(false, { outcome: 'unavailable', reason: 'nothing listens there' }), host)
      signals.abort.addEventListener('abort', () => end(true, aborted))
    })
  }
}
