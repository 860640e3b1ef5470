import type { Runner } from './runner.ts'

/** Runs handlers in the daemon's own process. Code that ignores its abort cannot be ended. */
export const inlineRunner: Runner = {
  async run(route, clink, context) {
    try {
      return { ended: 'returned', value: await route.handle(clink, context) }
    } catch (error) {
      return { ended: 'threw', error }
    }
  },
}
