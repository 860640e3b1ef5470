import type { Clink } from '../../clink/records.ts'
import type { Router } from '../../handlers/route.ts'
import { idPatterns } from '../../handlers/sender-match.ts'
import type { WorkerContext } from '../context.ts'

/**
 * Says once of each pattern for senders' ids that it fits a display name and not the id: earlier versions took both, and whoever wrote it
 * may have meant the name. To go with the next minor version.
 */
export class NameWarnings {
  readonly #context: Pick<WorkerContext, 'emit' | 'settings'>
  readonly #router: Pick<Router, 'idPatterns'>
  readonly #said = new Set<string>()

  constructor(context: Pick<WorkerContext, 'emit' | 'settings'>, router: Pick<Router, 'idPatterns'>) {
    this.#context = context
    this.#router = router
  }

  /** A clink has been shown. */
  look({ sender_id, sender_name }: Clink): void {
    const ignored = this.#context.settings.current.inbox.ignore.filter((rule) => rule !== 'self')
    const patterns = [...idPatterns('inbox.ignore', ignored), ...(this.#router.idPatterns ?? [])]
    for (const { fits, pattern, setting } of patterns) {
      const key = `${setting} ${pattern}`
      if (this.#said.has(key) || !fits(sender_name) || fits(sender_id)) continue
      this.#said.add(key)
      const written = JSON.stringify(pattern)
      const advice = `${setting} looks at ids only: write { name: ${written} } if a display name is meant, which anyone may take, or the id, which is ${JSON.stringify(sender_id)} for the sender that it fits now`
      this.#context.emit({ event: 'config.nameNotMatched', setting, pattern, advice })
    }
  }
}
