import { asError, stackOf } from '../base/coded-error.ts'

/**
 * Errors that nobody caught, in the worker's own code or in a handler's. The process is not to be trusted after one; `first` is
 * told once, later ones are dropped, since they mostly follow from it. Where telling it fails, that is told instead.
 *
 * @returns a function that stops listening.
 */
export function onFault(first: (error: Error) => void): () => void {
  let isTold = false
  const tell = (thrown: unknown): void => {
    if (isTold) return
    isTold = true
    try {
      first(asError(thrown))
    } catch (error) {
      first(asError(error))
    }
  }
  process.on('uncaughtException', tell)
  process.on('unhandledRejection', tell)
  return () => {
    process.off('uncaughtException', tell)
    process.off('unhandledRejection', tell)
  }
}

/**
 * Somebody ends the process, by `process.exit` or otherwise. The error's stack leads to whoever calls that.
 *
 * @returns a function that stops listening.
 */
export function onExit(told: (error: Error) => void): () => void {
  const tell = (code: number): void => told(new Error(`the process was ended with code ${code} while the worker ran`))
  process.on('exit', tell)
  return () => process.off('exit', tell)
}

/** The handler file that an error came out of, where its stack names one: the innermost first. */
export function blamed(error: Error, files: readonly string[]): string | undefined {
  for (const frame of stackOf(error).split('\n')) {
    const file = files.find((file) => frame.includes(file))
    if (file !== undefined) return file
  }
  return undefined
}
