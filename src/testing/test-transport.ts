import {
  TransportError,
  type Transport,
  type TransportFailure,
  type TransportRequest,
  type TransportResponse,
} from '../clink/transport.ts'
import type { Emulator } from '../emulator/emulator.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** Milliseconds that a request takes to the service, and its answer back. */
const WAY = 5

/** The way from one life of the worker to the embedded Clink, in virtual time. */
export class TestTransport implements Transport {
  readonly #emulator: Pick<Emulator, 'withFaults'>
  readonly #clock: VirtualClock
  /** Its process is gone: what is under way still reaches the service, and no answer comes back. */
  isDead = false

  constructor(emulator: Pick<Emulator, 'withFaults'>, clock: VirtualClock) {
    this.#emulator = emulator
    this.#clock = clock
  }

  async send(request: TransportRequest): Promise<TransportResponse> {
    const clock = this.#clock
    const { deadline = Infinity, signal, timeout } = request
    return await new Promise((resolve, reject) => {
      if (this.isDead) return
      const after = (ms: number, run: () => void): (() => void) => clock.at(clock.now() + ms, run)
      const fail = (kind: TransportFailure): void => {
        if (!this.isDead) reject(new TransportError(kind, 'maybe', `${kind} (in a test)`))
      }
      const cancel = after(Math.min(timeout, deadline - clock.now()), () => fail('timeout'))
      signal?.addEventListener('abort', () => fail('aborted'), { once: true })
      const wait = async (ms: number): Promise<boolean> => {
        await new Promise<void>((done) => after(ms, done))
        return true
      }
      const arrive = async (): Promise<void> => {
        const ending = await this.#emulator.withFaults(request, wait)
        if (ending.is === 'hung') return
        await wait(WAY)
        cancel()
        if (ending.is === 'answered' && !this.isDead) resolve(ending.answer)
        else fail(ending.is === 'cut' ? 'reset' : 'cut')
      }
      after(WAY, () => void arrive().catch(reject))
    })
  }
}
