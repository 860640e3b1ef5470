import { sleep as wait } from '../../base/clock.ts'
import { formatDuration } from '../../base/duration.ts'
import { onAbort } from '../../base/on-abort.ts'
import type { Clink } from '../../clink/records.ts'
import { ClinkApiError } from '../../clink/errors.ts'
import type { DeliveryFacts } from '../../events.ts'
import { whatIsAway } from '../../ledger/away.ts'
import { readSleep, writeSleep } from '../../ledger/sleep.ts'
import type { KeptSteps } from '../../ledger/steps.ts'
import { stepKey, type KeptStep } from '../../ledger/step-table.ts'
import { saidIn, type Outcome } from '../../runners/outcome.ts'
import type { StepResult } from '../../runners/runner.ts'
import type { ExecutionContext } from './context.ts'

/** A run, as its steps see it. */
export interface SteppedRun {
  /** Something may be done for it. */
  readonly counts: boolean
  readonly aborted: AbortSignal
}

type StepsContext = Pick<ExecutionContext, 'clock' | 'emit' | 'ledger'>

/** In bytes: of what one step came to, and of all that is kept of a clink, names included. */
const LONGEST = { name: 200, result: 65_536, all: 1_048_576 } as const
const LONGEST_SLEEP = 365 * 86_400_000
/** Milliseconds between two looks whether the journal can be written again. */
const LOOK = 1_000

interface OpenStep {
  readonly begunAt: number
  /** How many replies it has sent, or was about to. */
  replies: number
}

/**
 * The steps of one run: what an earlier run has done is not done again. What a step came to is in the journal before the run goes on, and
 * while the journal cannot be written nothing begins of which it would have to know; an aborted run waits for none of it.
 */
export class RunSteps {
  readonly #clink: Clink
  readonly #facts: DeliveryFacts
  readonly #context: StepsContext
  readonly #run: SteppedRun
  readonly #names = new Set<string>()
  readonly #open = new Map<string, OpenStep>()
  #kept: Promise<KeptSteps> | undefined
  #size = 0
  #asleep: Extract<Outcome, { outcome: 'asleep' }> | undefined

  constructor(facts: DeliveryFacts, context: StepsContext, run: SteppedRun) {
    this.#clink = facts.clink
    this.#facts = facts
    this.#context = context
    this.#run = run
  }

  async begin(name: string): Promise<StepResult | undefined> {
    const kept = await this.#look('step', name)
    if (kept !== undefined) {
      this.#context.emit({ event: 'clink.step', ...this.#facts, name, was: 'kept' })
      return kept.value
    }
    await this.#untilHealthy(name)
    this.#open.set(name, { begunAt: this.#context.clock.now(), replies: 0 })
    return undefined
  }

  async end(name: string, result: StepResult): Promise<void> {
    const open = this.#open.get(name)
    if (open === undefined) throw new Error(`no step ${quoted(name)} of this run has begun, or it has ended already`)
    const bytes = Buffer.byteLength(result)
    const size = Buffer.byteLength(name) + bytes
    if (bytes > LONGEST.result)
      throw new Error(`step ${quoted(name)}: its result has ${bytes} bytes as JSON${TOO_LONG}`)
    if (this.#size + size > LONGEST.all) throw new Error(`step ${quoted(name)}: ${TOO_MUCH}`)
    this.#size += size
    this.#open.delete(name)
    await this.#keep({ is: 'step', name, value: result })
    const duration = this.#context.clock.now() - open.begunAt
    this.#context.emit({ event: 'clink.step', ...this.#facts, name, was: 'done', duration })
  }

  async sleep(name: string, ms: number): Promise<number | undefined> {
    const { clock, ledger } = this.#context
    if (ms > LONGEST_SLEEP)
      throw new Error(`ctx.sleep: ${formatDuration(ms)} is longer than ${formatDuration(LONGEST_SLEEP)}`)
    const kept = await this.#look('sleep', name)
    // A millisecond more: the wall clock shows whole ones.
    const begun = kept && readSleep(kept.value)
    const sleep = begun ?? { at: clock.wall() + ms + 1, for: ms }
    const end = ledger.steps.endOf(this.#clink, name, sleep, clock, begun === undefined)
    if (begun === undefined) {
      await this.#untilHealthy(name)
      await this.#keep({ is: 'sleep', name, value: writeSleep(sleep) })
    }
    const left = end - clock.now()
    if (left <= 0) return undefined
    const until = clock.wall() + left
    this.#asleep = { outcome: 'asleep', name, until }
    return until
  }

  /**
   * Sends what a step sends, once at most: the next run of the step finds that it was about to.
   *
   * @param send resolves with the id of what was sent.
   */
  async once(step: string, send: () => Promise<string>): Promise<string | undefined> {
    const open = this.#open.get(step)
    if (open === undefined) throw new Error(`ctx.reply: step ${quoted(step)} is over: wait for the reply within it`)
    open.replies += 1
    const intent = { is: 'reply', name: `${step} ${open.replies}`, value: '' } as const
    const before = (await this.#load()).get(stepKey(intent))
    if (before !== undefined) {
      if (before.value === '') this.#say('warn', `reply ${open.replies} of step ${quoted(step)}: ${UNKNOWN}`)
      return before.value === '' ? undefined : before.value
    }
    await this.#untilHealthy(step)
    try {
      await this.#keep(intent)
      this.#throwIfOver()
      const id = await send()
      void this.#context.ledger.steps.keep(this.#clink, { ...intent, value: id })
      return id
    } catch (error) {
      const isUnknown = error instanceof ClinkApiError && error.mayHaveHappened
      if (!isUnknown) void this.#context.ledger.steps.forget(this.#clink, intent)
      throw error
    }
  }

  /** What the run came to, which may have been told to sleep. */
  conclude(outcome: Outcome): Outcome {
    if (this.#asleep === undefined || outcome.outcome === 'asleep') return outcome
    const message = `${quoted(this.#asleep.name)} is a sleep, which ends the run, and the handler ${WENT_ON}`
    const cause = outcome.outcome === 'failed' ? { cause: outcome.error } : {}
    const said = outcome.outcome === 'failed' ? saidIn(outcome) : {}
    const own = `a sleep ends the run, and the handler ${WENT_ON}`
    return { outcome: 'failed', error: { name: 'Error', message, ...cause }, own, ...said }
  }

  /** @returns what is kept under the name. */
  async #look(is: 'step' | 'sleep', name: unknown): Promise<KeptStep | undefined> {
    if (!isName(name)) throw new Error(`ctx.${is}: ${JSON.stringify(name)} ${NO_NAME}`)
    if (this.#names.has(name)) throw new Error(`ctx.${is}: ${quoted(name)} ${TWICE}`)
    this.#names.add(name)
    this.#throwIfOver()
    const kept = await this.#load()
    this.#throwIfOver()
    return kept.get(stepKey({ is, name }))
  }

  async #load(): Promise<KeptSteps> {
    return await (this.#kept ??= this.#read())
  }

  async #read(): Promise<KeptSteps> {
    const kept = await this.#context.ledger.steps.of(this.#clink)
    for (const { is, name, value } of kept.values())
      if (is === 'step') this.#size += Buffer.byteLength(name) + Buffer.byteLength(value)
    return kept
  }

  /** Noted at once, whatever becomes of the run meanwhile, and written as soon as the journal can be. */
  async #keep(step: Omit<KeptStep, 'at' | 'content'>): Promise<void> {
    await orAborted(this.#context.ledger.steps.keep(this.#clink, step), this.#run.aborted)
  }

  async #untilHealthy(name: string): Promise<void> {
    const { clock, ledger } = this.#context
    if (ledger.isHealthy) return
    this.#say('warn', `${quoted(name)} waits: ${whatIsAway(ledger)}`)
    while (!ledger.isHealthy) {
      await wait(clock, LOOK, this.#run.aborted)
      this.#throwIfOver()
    }
  }

  #throwIfOver(): void {
    this.#run.aborted.throwIfAborted()
    if (!this.#run.counts) throw new Error('this run is over, and nothing of it begins any more')
  }

  #say(level: 'warn', message: string): void {
    this.#context.emit({ event: 'clink.log', ...this.#facts, level, message })
  }
}

async function orAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<never>()
  // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- the signal's reason is an error
  const leave = onAbort(signal, () => aborted.reject(signal.reason))
  try {
    await Promise.race([work, aborted.promise])
  } finally {
    leave()
  }
}

/** What is read from the journal as it was written. */
function isName(name: unknown): name is string {
  if (typeof name !== 'string' || name === '' || !name.isWellFormed() || name.includes('\0')) return false
  return Buffer.byteLength(name) <= LONGEST.name
}

function quoted(name: string): string {
  return JSON.stringify(name)
}

const NO_NAME = `is no name: write a text of 1 to ${LONGEST.name} bytes`
const TWICE =
  'is used twice in this run: a name stands for one thing that is done once, so in a loop put what differs into it'
const TOO_LONG = `, more than 64 KiB: keep it elsewhere, and return where it is`
const TOO_MUCH = 'more than 1 MiB would be kept of this clink: let its steps return less, or keep it elsewhere'
const UNKNOWN = 'an earlier run was about to send it, and nobody knows whether it did: it is not sent again'
const WENT_ON = 'went on: let what ctx.sleep throws pass (a program: end with exit code 75)'
