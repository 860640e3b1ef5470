import { tryTo } from '../base/try-to.ts'
import { asError } from '../base/coded-error.ts'
import type { Emit } from '../events.ts'

/**
 * Tells every subscriber of each fact. One that throws keeps no other from being told, and never whoever emits from going on.
 *
 * @param broken told of each fault of a subscriber.
 */
export function fanOut(subscribers: readonly Emit[], broken: (error: Error, event: string) => void): Emit {
  return (event) => {
    for (const subscriber of subscribers) {
      try {
        subscriber(event)
      } catch (error) {
        // Where that fails too, there is nobody left to tell.
        tryTo(() => broken(asError(error), event.event))
      }
    }
  }
}
