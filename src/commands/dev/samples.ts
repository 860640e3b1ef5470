import type { Cancel, Clock } from '../../base/clock.ts'
import type { Service } from '../../base/service.ts'
import type { Emulator } from '../../emulator/emulator.ts'

/** Content that the sample handlers take; everything else is for the handlers of whoever tries the worker. */
export const SLOW = 'sample: count the parcels in the long hall'
export const FLAKY = 'sample: open the door that sticks'

/** What people ask for, in turn: something for each of the example handlers, and for a handler that takes everything. */
const TEXTS = [
  'good morning, is anybody there?',
  'disk',
  SLOW,
  'how many words are in this sentence?',
  FLAKY,
  'report 4',
  'please say this back to me',
] as const
const SENDERS = ['alice', 'bob', 'robot', 'helper'] as const
const GROUP = 'ops'
/** Enough for every slot of a glance, and few enough to follow by eye. */
const AT_ONCE = 3
const EVERY = 2_000

/** Members of the embedded Clink who keep asking for things. */
export class SampleSenders implements Service {
  #sent = 0
  #cancel: Cancel = () => {}
  readonly #emulator: Pick<Emulator, 'send'>
  readonly #clock: Clock

  constructor(emulator: Pick<Emulator, 'send'>, clock: Clock) {
    this.#emulator = emulator
    this.#clock = clock
  }

  get sent(): number {
    return this.#sent
  }

  start(): void {
    for (let count = 0; count < AT_ONCE; count += 1) this.#send()
    this.#wait()
  }

  async stop(): Promise<void> {
    this.#cancel()
  }

  #wait(): void {
    this.#cancel = this.#clock.at(this.#clock.now() + EVERY, () => {
      this.#send()
      this.#wait()
    })
  }

  #send(): void {
    const text = TEXTS[this.#sent % TEXTS.length] ?? TEXTS[0]
    const from = SENDERS[this.#sent % SENDERS.length] ?? SENDERS[0]
    this.#emulator.send(GROUP, text, { from })
    this.#sent += 1
  }
}
