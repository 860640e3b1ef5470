import type { Outcome } from '../../src/runners/outcome.ts'
import { runHandler } from '../../src/runners/run-handler.ts'
import type { Runner, Running, Task } from '../../src/runners/runner.ts'
import type { Chance } from './chance.ts'
import type { AwayRecord, Record } from './record.ts'
import type { Host, VirtualTime } from './virtual-time.ts'
import type { RunnerPlan } from './world.ts'

export interface SimulatedRunnerParts {
  readonly life: string
  readonly host: Host
  readonly time: VirtualTime
  readonly record: Record
  readonly chance: Chance
  readonly plan: RunnerPlan
}

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
    const { target } = task
    if (target.is !== 'module') throw new Error(`nothing here runs a ${target.is}`)
    return { ended: runHandler(target.handle, task) }
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
