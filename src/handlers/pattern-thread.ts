import { parentPort } from 'node:worker_threads'
import { namedGroups, type Matched } from './content-match.ts'

/** One text and the expression to try on it, as the worker sends them. */
export interface Trial {
  readonly expression: RegExp
  readonly text: string
}

/** `used`: milliseconds of a processor that the thread has had since its start. The first answer says only that it has started. */
export type TrialAnswer = { readonly used: number } & (
  { readonly found?: Matched | undefined } | { readonly error: string }
)

function used(): number {
  const { system, user } = process.threadCpuUsage()
  return (user + system) / 1_000
}

function tried({ expression, text }: Trial): TrialAnswer {
  try {
    return { found: namedGroups(expression.exec(text)), used: used() }
  } catch (error) {
    return { error: String(error), used: used() }
  }
}

// A thread of its own: see `patterns.ts`. Whatever the expression does, this thread can be ended from outside.
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, and no window
const answer = (value: TrialAnswer): void => parentPort?.postMessage(value)
parentPort?.on('message', (trial: Trial) => answer(tried(trial)))
answer({ used: used() })
