import type { Clock } from '../base/clock.ts'
import { asError } from '../base/coded-error.ts'
import { packageVersion } from '../clink/version.ts'
import { HandlerAborted } from '../handlers/handler.ts'
import type { UrlTarget } from '../handlers/route.ts'
import { readSecrets } from '../handlers/webhook-secrets.ts'
import { applicationOutcome } from './application-outcome.ts'
import { Connections, type NoAnswer } from './application-request.ts'
import { writtenEnvelope } from './envelope.ts'
import { unavailable, type Outcome } from './outcome.ts'
import type { Runner, Running, Task } from './runner.ts'
import type { Pass } from './task-tokens.ts'
import { signatureOf } from './webhook-signature.ts'

/** Where applications ask for what the worker does for their run. */
interface TaskDoor {
  /** @throws {Error} when nothing can listen there. */
  open(task: Pick<Task, 'services' | 'signals'>): Promise<Pass>
  stop(): Promise<void>
}

export interface HttpParts {
  readonly clock: Clock
  readonly tasks: TaskDoor
}

/**
 * Has applications work clinks: each envelope is posted to one. Its run is over when it has answered, or with its abort, which
 * closes the connection: nobody can know what an application does then.
 */
export class HttpRunner implements Runner {
  readonly #parts: HttpParts
  readonly #connections = new Connections()
  readonly #agent = `clink-worker/${packageVersion()}`

  constructor(parts: HttpParts) {
    this.#parts = parts
  }

  start(task: Task): Running {
    const { target } = task
    if (target.is !== 'url') return { ended: Promise.resolve(unavailable(`a ${target.is} is no application`)) }
    return { ended: this.#run(task, target).catch((error: unknown) => unavailable(asError(error).message)) }
  }

  async stop(): Promise<void> {
    this.#connections.close()
    await this.#parts.tasks.stop()
  }

  async #run(task: Task, target: UrlTarget): Promise<Outcome> {
    const { clock, tasks } = this.#parts
    const { envelope, signals } = task
    const secrets = await secretsOf(target)
    const pass = await tasks.open(task)
    try {
      const body = JSON.stringify(writtenEnvelope(envelope, { url: pass.address, token: pass.token }))
      const { idempotencyKey } = envelope
      const headers = {
        'content-type': 'application/json',
        'user-agent': this.#agent,
        'idempotency-key': idempotencyKey,
        ...envelope.trace,
        ...(secrets !== undefined && signatureOf(secrets, idempotencyKey, body, clock.wall())),
      }
      const answered = await this.#connections.post({ target, headers, body, signal: signals.abort, clock })
      if (answered.is !== 'answered') return withoutAnswer(answered, target, signals.abort)
      const outcome = applicationOutcome(answered.answer, target.url, clock.wall())
      // To be run again is what one asks for that was told to sleep.
      return outcome.outcome === 'retry' ? (pass.asleep ?? outcome) : outcome
    } finally {
      pass.end()
    }
  }
}

/** They are read for each request: whoever changes them restarts nothing. */
async function secretsOf({ secretFile }: UrlTarget): Promise<readonly Buffer[] | undefined> {
  if (secretFile === undefined) return undefined
  return await readSecrets(secretFile).catch((error: unknown) => {
    throw new Error(`the secret ${secretFile} ${asError(error).message}`)
  })
}

function withoutAnswer(none: NoAnswer, { url }: UrlTarget, { reason }: AbortSignal): Outcome {
  if (none.is === 'away') return unavailable(`${url}: ${none.why}`)
  if (none.is === 'cut') return failed('ApplicationFailed', none.why)
  return failed('HandlerAborted', reason instanceof HandlerAborted ? reason.code : 'cancelled')
}

function failed(name: string, own: string): Outcome {
  return { outcome: 'failed', error: { name, message: own }, own }
}
