import type { Logger } from 'pino'
import type { OutputFacts } from '../host/standard-output.ts'

/** Says what becomes of the output of a worker. Without a reader of its log a worker has nobody to work for: `unread` is called. */
export function outputFacts(logger: Logger, unread: () => void): OutputFacts {
  return {
    closed: (stream) => {
      if (stream === 'stdout') return unread()
      const message = 'nobody reads standard error any more: what handlers write to it is dropped'
      logger.warn({ event: 'output.closed', stream, message })
    },
    failed: (stream, problem) => {
      const text = `${stream} cannot be written: ${problem}: lines wait, and are dropped when they are too many`
      if (stream === 'stdout') process.stderr.write(`clink-worker: ${text}\n`)
      else logger.error({ event: 'output.failed', stream, message: text })
    },
    resumed: (stream, dropped) => {
      const message =
        dropped === 0
          ? `${stream} can be written again: nothing was dropped`
          : `${dropped} lines or pieces of ${stream} were dropped at this place: they were not read as fast as they were written, or could not be written`
      logger.error({ event: 'output.resumed', stream, dropped, message })
    },
  }
}
