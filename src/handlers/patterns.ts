import { Worker } from 'node:worker_threads'
import { entryModule } from '../base/installed.ts'
import { clearTimeout, setTimeout } from '../base/host-time.ts'
import type { ContentFault, Matched } from './content-match.ts'
import type { Trial, TrialAnswer } from './pattern-thread.ts'

const ENTRY = entryModule('handlers/pattern-thread')
/** Milliseconds of a processor that a pattern has for one text. */
const LIMIT = 250
/** Of that it has surely had so much when it is broken off. */
const MOSTLY = 0.8
/** On a machine that gives the thread nothing, it is looked so often whether the pattern has had its time. */
const LOOKS = 32
/** Milliseconds that a thread has to say how much it has used. */
const ANSWERS_IN = 1_000
/** Milliseconds after which a thread that is not needed is ended. */
const IDLE = 60_000

interface Job extends Trial {
  readonly settle: (result: Matched | ContentFault | undefined) => void
  readonly fail: (error: unknown) => void
}

/**
 * Tries expressions that may never come to an end, in a thread, since only ending the thread bounds each of them. There is one thread,
 * however many clinks wait: one text after the other, the longest waiting first. So a hostile clink costs those behind it a quarter of a
 * second, and the event loop nothing. The thread begins with the first text and ends when it had none for a minute.
 */
export class Patterns {
  readonly #jobs: Job[] = []
  #job: Job | undefined
  #thread: Worker | undefined
  #isStarting = false
  /** What the thread had used before it was given its text. */
  #usedBefore = 0
  #timer: NodeJS.Timeout | undefined

  /** Rejects where the thread cannot be made, or ends by itself. */
  async find(expression: RegExp, text: string): Promise<Matched | ContentFault | undefined> {
    return await new Promise((settle, fail) => {
      this.#jobs.push({ expression, text, settle, fail })
      this.#next()
    })
  }

  #next(): void {
    if (this.#job !== undefined || this.#isStarting) return
    const job = this.#jobs[0]
    const thread = this.#thread
    clearTimeout(this.#timer)
    if (job === undefined) {
      thread?.unref()
      this.#timer = setTimeout(() => this.#end(), IDLE).unref()
    } else if (thread === undefined) {
      this.#start()
    } else {
      this.#job = this.#jobs.shift()
      // What waits for an answer keeps the process alive.
      thread.ref()
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, and no window
      thread.postMessage({ expression: job.expression, text: job.text } satisfies Trial)
      this.#lookIn(LIMIT, job, 1)
    }
  }

  #start(): void {
    this.#isStarting = true
    try {
      // Nothing of the worker's environment and of its output is for it.
      const thread = new Worker(ENTRY, { env: {}, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: 64 } })
      this.#thread = thread
      thread.on('message', (answer: TrialAnswer) => this.#answered(thread, answer))
      thread.on('error', (error) => this.#broke(thread, error))
      thread.on('exit', () => this.#broke(thread, new Error('the thread that tries patterns has ended')))
    } catch (error) {
      this.#isStarting = false
      this.#thread = undefined
      this.#jobs.shift()?.fail(error)
      this.#next()
    }
  }

  #answered(thread: Worker, answer: TrialAnswer): void {
    if (thread !== this.#thread) return
    this.#isStarting = false
    this.#usedBefore = answer.used
    const job = this.#job
    this.#job = undefined
    if ('error' in answer) job?.settle({ fault: 'match-failed', detail: `fails: ${answer.error}` })
    else job?.settle(answer.found)
    this.#next()
  }

  /** It runs out of memory, say: the text is to be tried again by whoever asked. */
  #broke(thread: Worker, error: unknown): void {
    if (thread !== this.#thread) return
    const job = this.#job ?? this.#jobs.shift()
    this.#end()
    job?.fail(error)
    this.#next()
  }

  #lookIn(wait: number, job: Job, look: number): void {
    this.#timer = setTimeout(() => void this.#look(job, look), wait)
  }

  /** By the processor's time and not by the clock: where the machine is busy or slept, a good clink is not to be given up for it. */
  async #look(job: Job, look: number): Promise<void> {
    const used = (await usedBy(this.#thread)) - this.#usedBefore
    // Meanwhile its answer may have come.
    if (this.#job !== job) return
    if (used < LIMIT * MOSTLY && look < LOOKS) return this.#lookIn(LIMIT, job, look + 1)
    this.#end()
    job.settle({ fault: 'match-timeout', detail: 'takes too long for this text' })
    this.#next()
  }

  #end(): void {
    const thread = this.#thread
    clearTimeout(this.#timer)
    this.#job = undefined
    this.#thread = undefined
    this.#isStarting = false
    void thread?.terminate()
  }
}

/** Milliseconds of a processor; `Infinity` where it does not say. */
async function usedBy(thread: Worker | undefined): Promise<number> {
  let timer: NodeJS.Timeout | undefined
  const silent = new Promise<number>((resolve) => (timer = setTimeout(resolve, ANSWERS_IN, Infinity)))
  const told = thread?.cpuUsage().then(
    ({ system, user }) => (user + system) / 1_000,
    () => Infinity,
  )
  const used = await Promise.race([silent, told ?? Infinity])
  clearTimeout(timer)
  return used
}
