import { after, type Cancel, type Clock } from '../base/clock.ts'
import type { Settings } from '../config/settings.ts'

/** The least that is logged: as it is configured, or as an operator wants it for a while. */
export class LogLevel {
  readonly #settings: Settings
  readonly #logger: { level: string }
  readonly #clock: Clock
  #cancel: Cancel = () => {}

  constructor(settings: Settings, logger: { level: string }, clock: Clock) {
    this.#settings = settings
    this.#logger = logger
    this.#clock = clock
    // Who writes another level into the configuration wants that.
    settings.changed.on((changes) => {
      if (changes['at-once'].includes('log.level')) this.#configured()
    })
  }

  /** @param lasts milliseconds; undefined: until the configuration says another, or the process ends. */
  set(level: string, lasts: number | undefined): void {
    this.#cancel()
    this.#logger.level = level
    this.#cancel = lasts === undefined ? () => {} : after(this.#clock, lasts, () => this.#configured())
  }

  #configured(): void {
    this.#cancel()
    this.#logger.level = this.#settings.current.log.level
  }
}
