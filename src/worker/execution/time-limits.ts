import { after, type Cancel, type Clock } from '../../base/clock.ts'
import { formatDuration } from '../../base/duration.ts'
import type { Policy } from '../../handlers/policy.ts'
import type { SignsOfLife } from './signs-of-life.ts'

interface TimeLimitsOptions {
  readonly clock: Clock
  readonly policy: Pick<Policy, 'timeout' | 'idle'>
  readonly signs: SignsOfLife
}

/** Milliseconds that the start of its code may take. After that it counts as begun. */
const LONGEST_START = 30_000

/** How long a run may take, and how long it may show no sign of life. */
export class TimeLimits {
  readonly #options: TimeLimitsOptions
  #exceeded: () => void = () => {}
  #cancelTimeout: Cancel = () => {}
  #cancelIdle: Cancel = () => {}
  #isCounting = false
  #isOver = false
  /** It is not its timeout that it has outlasted, but `idle`. */
  #wasSilent = false

  constructor(options: TimeLimitsOptions) {
    this.#options = options
  }

  /** @param begun resolves when its code begins: only from then on its time counts. Left out: it has begun. */
  begin(begun: Promise<void> | undefined, exceeded: () => void): void {
    this.#exceeded = exceeded
    if (begun === undefined) return this.#count()
    this.#cancelTimeout = after(this.#options.clock, LONGEST_START, () => this.#count())
    void begun.then(() => this.#count())
  }

  end(): void {
    this.#isOver = true
    this.#cancelTimeout()
    this.#cancelIdle()
  }

  /** What it has exceeded, for people. */
  get text(): string {
    const { idle, timeout } = this.#options.policy
    if (this.#wasSilent) return `the handler showed no sign of life for ${formatDuration(idle ?? 0)}`
    return `the handler ran longer than ${formatDuration(timeout)}`
  }

  #count(): void {
    const { clock, policy, signs } = this.#options
    if (this.#isCounting || this.#isOver) return
    this.#isCounting = true
    this.#cancelTimeout()
    signs.show()
    this.#cancelTimeout = after(clock, policy.timeout, this.#exceeded)
    this.#watchSigns(policy.idle)
  }

  #watchSigns(idle: number | null): void {
    if (idle === null) return
    const left = idle - this.#options.signs.silence
    this.#wasSilent = left <= 0
    if (this.#wasSilent) this.#exceeded()
    else this.#cancelIdle = after(this.#options.clock, left, () => this.#watchSigns(idle))
  }
}
