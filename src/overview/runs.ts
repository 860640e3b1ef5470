import { cutText } from '../base/cut-text.ts'
import { monotonicNow } from '../base/host-time.ts'
import { Recent } from '../base/recent.ts'
import type { WorkerEvent } from '../events.ts'
import { discreet } from './said.ts'

/** What a run has shown of itself. */
export interface RunSigns {
  /** Milliseconds since anything was heard of it. */
  readonly silence: number
  /** What its handler has said last; null: nothing yet. */
  readonly line: string | null
}

/** The most clinks of which that is kept, the newest. */
const CLINKS = 2_000
const LONGEST = 300

/** What the handlers of the clinks in hand have said last, in memory. */
export class Runs {
  readonly #all = new Recent<{ heard: number; line: string | null; content: string }>(CLINKS)

  readonly note = (event: WorkerEvent): void => {
    // Most facts say nothing about what a handler does.
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check
    switch (event.event) {
      case 'clink.started':
        this.#all.set(event.clink.clink_id, { heard: monotonicNow(), line: null, content: event.clink.content })
        return
      case 'clink.step':
      case 'clink.log': {
        const one = this.#all.get(event.clink.clink_id)
        if (one === undefined) return
        one.heard = monotonicNow()
        // Whether it quotes the clink is looked at when somebody looks.
        if (event.event === 'clink.log') one.line = cutText(event.message, LONGEST)
        return
      }
      case 'clink.completed':
      case 'clink.released':
      case 'clink.lost':
        this.#all.delete(event.clink.clink_id)
    }
  }

  of(id: string): RunSigns | undefined {
    const one = this.#all.get(id)
    if (one === undefined) return undefined
    const { content, heard, line } = one
    return { silence: monotonicNow() - heard, line: line === null ? null : discreet(line, content) }
  }
}
