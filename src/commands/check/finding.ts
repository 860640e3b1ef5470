import { asError, EXIT, type ExitCode } from '../../base/coded-error.ts'
import { exitOf } from '../terminal/problems.ts'

/** One thing that was looked at. */
export interface Finding {
  readonly what: string
  /** `unknown`: nothing here tells. */
  readonly result: 'ok' | 'warning' | 'failed' | 'unknown'
  readonly detail: string
  /** What to do about it. */
  readonly advice?: string
  /** The rows of the table of routes, for programs. */
  readonly routes?: readonly object[]
  /** For a failed one. */
  readonly exit?: ExitCode
}

const given = (advice: string | undefined): { readonly advice?: string } => (advice === undefined ? {} : { advice })

export const ok = (what: string, detail: string): Finding => ({ what, result: 'ok', detail })
export const warning = (what: string, detail: string, advice?: string): Finding => {
  return { what, result: 'warning', detail, ...given(advice) }
}
export const unknown = (what: string, detail: string, advice?: string): Finding => {
  return { what, result: 'unknown', detail, ...given(advice) }
}
export const failed = (what: string, detail: string, exit: ExitCode, advice?: string): Finding => {
  return { what, result: 'failed', detail, exit, ...given(advice) }
}
export const isFinding = (value: object): value is Finding => 'result' in value && 'what' in value

/** What it gives, or its failure as a finding. Bugs are thrown on. @param advise what to do about an error. */
export async function attempt<T extends object>(
  what: string,
  look: () => Promise<T>,
  advise: (error: Error) => string | undefined = () => undefined,
): Promise<T | Finding> {
  try {
    return await look()
  } catch (thrown) {
    const error = asError(thrown)
    const exit = exitOf(error)
    if (exit === EXIT.internal) throw error
    return failed(what, error.message, exit, advise(error))
  }
}
