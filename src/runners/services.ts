import type { ClinkClient } from '../clink/client.ts'
import type { HandlerLog } from '../handlers/handler.ts'

/** What a step came to, as JSON; empty: nothing. */
export type StepResult = string

/** What a handler may have done for it. Whoever is no JavaScript asks for the same by messages. */
export interface TaskServices {
  log(level: keyof HandlerLog, message: unknown, fields?: Readonly<Record<string, unknown>>): void
  /**
   * @param step the one that sends it: then it is sent once at most.
   * @returns the id of the clink that was sent; undefined: an earlier run may have sent it, and nobody knows whether it did.
   */
  reply(text: unknown, to: 'sender' | 'group', step?: string): Promise<string | undefined>
  /** @returns what it came to in an earlier run; undefined: whoever asks does it now, and says then what it came to. */
  beginStep(name: string): Promise<StepResult | undefined>
  /** Resolves when it is kept over the end of the process. */
  endStep(name: string, result: StepResult): Promise<void>
  /** @returns until when the run is to sleep, which has to end now: wall time in milliseconds. Undefined: it has slept. */
  sleep(name: string, ms: number): Promise<number | undefined>
  /** A sign of life. */
  keepalive(): void
  /** From now on no log shows this text. */
  mask(value: string): void
  /** All operations, also by name (`call`). It refuses to claim, and what it sends is signed and known as ours. */
  readonly api: ClinkClient
}
