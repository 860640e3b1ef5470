import { loggedText } from '../../base/logged-text.ts'
import type { Clink } from '../../clink/records.ts'
import type { DeliveryFacts } from '../../events.ts'
import type { HandlerLog } from '../../handlers/handler.ts'
import type { Route } from '../../handlers/route.ts'
import type { WorkerKey } from '../../keys/keys.ts'
import type { Outcome } from '../../runners/outcome.ts'
import type { StepResult, TaskServices } from '../../runners/runner.ts'
import { sendReply } from '../replies/reply.ts'
import type { ExecutionContext } from './context.ts'
import { HandlerClient } from './handler-client.ts'
import { RunSteps, type SteppedRun } from './run-steps.ts'
import type { SignsOfLife } from './signs-of-life.ts'

/** The clink for which something is done. */
export interface Served {
  readonly clink: Clink
  /** What its handler does through `ctx` is done with it. */
  readonly key: WorkerKey
  /** Local time after which nothing is sent. */
  readonly deadline: number
}

export interface ServedRun extends SteppedRun {
  readonly signs: SignsOfLife
}

/** The log shows shorter texts: see `redact.ts`. */
const SHORTEST_SECRET = 8

/** What a run may have done for it. A class: objects with accessors of their own are dear to collect. */
export class Services implements TaskServices {
  readonly #inHand: Served
  /** The one at its start: a run without a claim does not take to another, which may turn out to be a stranger's. */
  readonly #key: WorkerKey
  readonly #mark: Route['mark']
  readonly #facts: Required<DeliveryFacts>
  readonly #context: ExecutionContext
  readonly #run: ServedRun
  #client: HandlerClient | undefined
  #steps: RunSteps | undefined

  constructor(
    inHand: Served,
    { mark }: Route,
    facts: Required<DeliveryFacts>,
    context: ExecutionContext,
    run: ServedRun,
  ) {
    this.#inHand = inHand
    this.#key = inHand.key
    this.#mark = mark
    this.#facts = facts
    this.#context = context
    this.#run = run
  }

  get api(): HandlerClient {
    const { clink } = this.#inHand
    return (this.#client ??= new HandlerClient(
      this.#key.connection,
      { clink, mark: this.#mark },
      this.#context,
      this.#run.signs,
    ))
  }

  log(level: keyof HandlerLog, message: unknown, fields?: Readonly<Record<string, unknown>>): void {
    this.#run.signs.show()
    this.#context.emit({
      event: 'clink.log',
      ...this.#facts,
      level,
      message: loggedText(message),
      ...(fields === undefined ? {} : { fields }),
    })
  }

  async reply(words: unknown, to: 'sender' | 'group', step?: string): Promise<string | undefined> {
    this.#run.signs.show()
    const { clink, deadline } = this.#inHand
    if (!this.#run.counts) throw new Error('ctx.reply: this run is over, nothing is sent for it any more')
    if (typeof words !== 'string') throw new TypeError(`ctx.reply: what is to be sent is ${typeof words}, and no text`)
    const mark = this.#mark
    const sending = { clink, to: to === 'group' ? undefined : clink.sender_id, is: 'note', mark } as const
    const send = async (): Promise<string> =>
      await sendReply(words, sending, { deadline }, this.#key.api, this.#context)
    return await (step === undefined ? send() : this.#stepsOf.once(step, send))
  }

  async beginStep(name: string): Promise<StepResult | undefined> {
    this.#run.signs.show()
    return await this.#stepsOf.begin(name)
  }

  async endStep(name: string, result: StepResult): Promise<void> {
    this.#run.signs.show()
    await this.#stepsOf.end(name, result)
  }

  async sleep(name: string, ms: number): Promise<number | undefined> {
    this.#run.signs.show()
    return await this.#stepsOf.sleep(name, ms)
  }

  /** What the run came to, by what it was told. */
  conclude(outcome: Outcome): Outcome {
    return this.#steps?.conclude(outcome) ?? outcome
  }

  /** Made when the first one is asked for: most runs have none. */
  get #stepsOf(): RunSteps {
    return (this.#steps ??= new RunSteps(this.#facts, this.#context, this.#run))
  }

  keepalive(): void {
    this.#run.signs.show()
  }

  mask(value: string): void {
    for (const secret of secretsIn(value)) this.#context.signals.masked.say(secret)
  }
}

/** Each line of it as well: the log may show one of them. */
function secretsIn(value: string): readonly string[] {
  const lines = value.split('\n').map((line) => line.trim())
  const secrets = [value.trim(), ...lines].filter((text) => text.length >= SHORTEST_SECRET)
  if (secrets.length > 0) return secrets
  throw new Error(`mask: a secret has at least ${SHORTEST_SECRET} characters: a shorter text occurs everywhere`)
}
