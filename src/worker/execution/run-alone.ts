import { after, type Cancel, type Clock } from '../../base/clock.ts'
import type { CrashWatch } from './crash-watch.ts'

/** The run of a suspect: when it has been alone for long enough, a crash is not known to be its own any more, and others go on beside it. */
export class RunAlone {
  /** It goes on, and not alone. */
  isOutlasting = false
  readonly #clinkId: string
  readonly #context: { readonly clock: Clock; readonly crashWatch: CrashWatch }
  #hasEnded = false
  #cancel: Cancel = () => {}

  constructor(clinkId: string, context: { readonly clock: Clock; readonly crashWatch: CrashWatch }) {
    this.#clinkId = clinkId
    this.#context = context
  }

  begin(outlast: () => void): void {
    const { clock, crashWatch } = this.#context
    this.#cancel = after(clock, crashWatch.aloneFor, () => void this.#over(outlast))
  }

  /** Its code has ended. */
  end(): void {
    this.#cancel()
    this.#hasEnded = true
    this.#context.crashWatch.codeEnded(this.#clinkId)
  }

  /** That it is not blamed any more is journalled before anything runs beside it. */
  async #over(outlast: () => void): Promise<void> {
    this.isOutlasting = true
    await this.#context.crashWatch.outlasted(this.#clinkId)
    if (!this.#hasEnded) outlast()
  }
}
