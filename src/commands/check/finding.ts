import { asError, EXIT, type ExitCode } from '../../base/coded-error.ts'
import { exitOf } from '../terminal/problems.ts'

/** One thing that was looked at. */
export interface Finding {
  readonly what: string
  readonly result: 'ok' | 'warning' | 'failed'
  readonly detail: string
  /** The rows of the table of routes, for programs. */
  readonly routes?: readonly object[]
  /** For a failed one. */
  readonly exit?: ExitCode
}

export const ok = (what: string, detail: string): Finding => ({ what, result: 'ok', detail })
export const warning = (what: string, detail: string): Finding => ({ what, result: 'warning', detail })
export const isFinding = (value: object): value is Finding => 'result' in value && 'what' in value

/** What it gives, or its failure as a finding. Bugs are thrown on. */
export async function attempt<T extends object>(what: string, look: () => Promise<T>): Promise<T | Finding> {
  try {
    return await look()
  } catch (thrown) {
    const error = asError(thrown)
    const exit = exitOf(error)
    if (exit === EXIT.internal) throw error
    return { what, result: 'failed', detail: error.message, exit }
  }
}
