import type { HandlerLog } from '../../handlers/handler.ts'
import type { StepResult, TaskServices } from '../runner.ts'
import type { ThreadData } from './messages.ts'
import type { Port } from './port.ts'
import { ThreadClient } from './thread-client.ts'

/** What a run in a thread may have done for it: the worker does it. A class, as the worker's own services are. */
export class ThreadServices implements TaskServices {
  readonly #port: Port
  readonly #run: number
  readonly #service: ThreadData['service']
  #client: ThreadClient | undefined

  constructor(port: Port, run: number, service: ThreadData['service']) {
    this.#port = port
    this.#run = run
    this.#service = service
  }

  get api(): ThreadClient {
    return (this.#client ??= new ThreadClient(this.#port, this.#run, this.#service))
  }

  log(level: keyof HandlerLog, message: unknown, fields?: Readonly<Record<string, unknown>>): void {
    this.#port.log(this.#run, level, message, fields)
  }

  async reply(words: unknown, to: 'sender' | 'group', step?: string): Promise<string | undefined> {
    return text(await this.#port.call(this.#run, 'reply', [words, to, step]))
  }

  async beginStep(name: string): Promise<StepResult | undefined> {
    return text(await this.#port.call(this.#run, 'beginStep', [name]))
  }

  async endStep(name: string, result: StepResult): Promise<void> {
    await this.#port.call(this.#run, 'endStep', [name, result])
  }

  async sleep(name: string, ms: number): Promise<number | undefined> {
    const until = await this.#port.call(this.#run, 'sleep', [name, ms])
    return typeof until === 'number' ? until : undefined
  }

  keepalive(): void {
    this.#port.send({ run: this.#run, say: 'keepalive' })
  }

  mask(value: string): void {
    void this.#port.call(this.#run, 'mask', [value])
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
