import { setTimeout as delay } from 'node:timers/promises'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { asError } from '../../src/base/coded-error.ts'
import { errorFact } from '../../src/base/error-fact.ts'
import type { OperationName } from '../../src/clink/contract.ts'
import { HandlerAborted } from '../../src/handlers/handler.ts'
import type { Outcome } from '../../src/runners/outcome.ts'
import type { Envelope } from '../../src/runners/envelope.ts'
import type { Runner, Running, Task, TaskServices } from '../../src/runners/runner.ts'

/** What a program of a `FakeRunner` sees of its task: what came by messages, and a way to send some. */
interface Remote {
  readonly envelope: Envelope
  readonly env: Readonly<Record<string, string>>
  /** Resolves with the code when it is told to end. */
  readonly aborted: Promise<string>
  readonly draining: Promise<void>
  readonly log: (...line: Parameters<TaskServices['log']>) => void
  /** `reply` with a text and whom to, or an operation by its name with its parameters. */
  readonly ask: (what: string, ...given: readonly unknown[]) => Promise<unknown>
}

export type Program = (remote: Remote) => Promise<Outcome>

type ToProgram =
  | Pick<Task, 'envelope' | 'env'>
  | { readonly abort: string }
  | { readonly drain: true }
  | { readonly answerTo: number; readonly value?: unknown; readonly error?: string }
type FromProgram =
  | { readonly log: Parameters<TaskServices['log']> }
  | { readonly ask: number; readonly what: string; readonly given: readonly unknown[] }
  | { readonly end: Outcome }

/**
 * A runner as other than the worker's own process needs one: it is slow to start, and its programs are reached by texts only, which are
 * JSON. They can be killed: nothing more is heard of one then. They are functions all the same, found by the first word of a command.
 */
export class FakeRunner implements Runner {
  readonly #programs: Readonly<Record<string, Program>>
  /** Milliseconds from a start until the program hears of it. */
  slowness = 5
  /** Why it can start nothing, while it cannot. */
  away: Omit<Extract<Outcome, { outcome: 'unavailable' }>, 'outcome'> | undefined
  killed = 0

  constructor(programs: Readonly<Record<string, Program>>) {
    this.#programs = programs
  }

  start(task: Task): Running {
    const [name = ''] = task.target.is === 'program' ? task.target.command : []
    const program = this.#programs[name]
    const { away = program === undefined ? { reason: `there is no program ${name}` } : undefined } = this
    if (away !== undefined || program === undefined)
      return { ended: Promise.resolve({ outcome: 'unavailable', reason: '', ...away }) }
    const { port1: port, port2 } = new MessageChannel()
    const ended = Promise.withResolvers<Outcome>()
    const end = (outcome: Outcome): void => {
      ended.resolve(outcome)
      port.close()
    }
    port.on('message', (message: string) => {
      const said = JSON.parse(message) as FromProgram
      if ('end' in said) end(said.end)
      else if ('log' in said) task.services.log(...said.log)
      else void answer(said, task.services).then((reply) => post(port, reply))
    })
    void this.#begin(task, program, port, port2)
    return {
      ended: ended.promise,
      kill: () => {
        this.killed += 1
        end({ outcome: 'failed', error: errorFact('killed') })
      },
    }
  }

  async #begin(
    { env, envelope, signals }: Task,
    program: Program,
    port: MessagePort,
    theirs: MessagePort,
  ): Promise<void> {
    listen(theirs, program)
    await delay(this.slowness)
    post(port, { env, envelope })
    whenAborted(signals.draining, () => post(port, { drain: true }))
    whenAborted(signals.abort, ({ reason }) =>
      post(port, { abort: reason instanceof HandlerAborted ? reason.code : 'no code' }),
    )
  }
}

/** The other side. */
function listen(port: MessagePort, program: Program): void {
  const aborted = Promise.withResolvers<string>()
  const draining = Promise.withResolvers<void>()
  const asked: PromiseWithResolvers<unknown>[] = []
  const say = (message: FromProgram): void => port.postMessage(JSON.stringify(message))
  const begin = ({ env, envelope }: Pick<Task, 'envelope' | 'env'>): Remote => ({
    env,
    envelope,
    aborted: aborted.promise,
    draining: draining.promise,
    log: (...log) => say({ log }),
    ask: async (what, ...given) => {
      const answered = Promise.withResolvers<unknown>()
      say({ ask: asked.push(answered) - 1, what, given })
      return await answered.promise
    },
  })
  port.on('message', (message: string) => {
    const told = JSON.parse(message) as ToProgram
    if ('abort' in told) aborted.resolve(told.abort)
    else if ('drain' in told) draining.resolve()
    else if ('envelope' in told) void program(begin(told)).then((end) => say({ end }))
    else if (told.error === undefined) asked[told.answerTo]?.resolve(told.value)
    else asked[told.answerTo]?.reject(new Error(told.error))
  })
}

async function answer(
  { ask, given, what }: Extract<FromProgram, { ask: number }>,
  services: TaskServices,
): Promise<ToProgram> {
  try {
    const [first, second, third] = given
    if (what === 'beginStep') return { answerTo: ask, value: await services.beginStep(String(first)) }
    if (what === 'endStep') return { answerTo: ask, value: await services.endStep(String(first), String(second)) }
    if (what === 'sleep') return { answerTo: ask, value: await services.sleep(String(first), Number(second)) }
    const value: unknown = await (what === 'reply'
      ? services.reply(first, second === 'group' ? 'group' : 'sender', typeof third === 'string' ? third : undefined)
      : // What comes by messages has no types: whether there is such an operation is seen there.
        services.api.call(what as OperationName, first as never))
    return { answerTo: ask, value }
  } catch (error) {
    return { answerTo: ask, error: asError(error).message }
  }
}

function post(port: MessagePort, message: ToProgram): void {
  port.postMessage(JSON.stringify(message))
}

function whenAborted(signal: AbortSignal, act: (signal: AbortSignal) => void): void {
  if (signal.aborted) act(signal)
  else signal.addEventListener('abort', () => act(signal))
}
