import type { Runner } from './runner.ts'

/** Runs handlers in the daemon's own process. Code that ignores its abort cannot be ended. */
export const inlineRunner: Runner = {
  async run(route, clink, context) {
    try {
      // A copy: what a handler does to it must not change what is settled, journalled and run again.
      return { ended: 'returned', value: await route.handle(structuredClone(clink), context) }
    } catch (error) {
      return { ended: 'threw', error }
    }
  },
}
