import { z } from 'zod'
import { parseDuration } from '../base/duration.ts'
import type { ErrorFact } from '../base/error-fact.ts'
import type { AbortCode } from '../handlers/handler.ts'
import type { ProgramTarget } from '../handlers/route.ts'
import type { Outcome } from './outcome.ts'

/** How a program ended, and what it has said. */
export interface ProgramEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly output: { readonly text: string; readonly isCut: boolean; readonly total: number }
  /** The last line of standard error. */
  readonly lastWord: string | undefined
  /** Why it was told to end, before it did. */
  readonly abortedBy: AbortCode | undefined
  /** Until when it was told to sleep. */
  readonly asleep: Extract<Outcome, { outcome: 'asleep' }> | undefined
}

/** Exit codes that say more than that it went wrong, as `sysexits.h` numbers them. */
const RETRY = 75
const REJECT = 65
const RELEASE = 69

/** What the end of a program means. To be run again is what one asks for that was told to sleep. */
export function programOutcome(end: ProgramEnd, output: ProgramTarget['output']): Outcome {
  const outcome = outcomeOf(end, output)
  return outcome.outcome === 'retry' ? (end.asleep ?? outcome) : outcome
}

function outcomeOf(end: ProgramEnd, output: ProgramTarget['output']): Outcome {
  const { code, lastWord } = end
  const why = lastWord === undefined ? {} : { reason: lastWord }
  if (code === 0 && output === 'json') return jsonOutcome(end)
  if (code === 0) return done(output === 'none' ? '' : end.output.text)
  if (code === RETRY) return { outcome: 'retry', ...why }
  if (code === REJECT) return { outcome: 'reject', reason: lastWord ?? 'rejected by the program' }
  if (code === RELEASE) return { outcome: 'release', ...why }
  return { outcome: 'failed', error: errorOf(end) }
}

function done(text: string): Outcome {
  return text === '' ? { outcome: 'done' } : { outcome: 'done', response: text }
}

function errorOf(end: ProgramEnd): ErrorFact {
  const { abortedBy, code, lastWord, signal } = end
  if (abortedBy !== undefined) {
    return { name: 'HandlerAborted', message: abortedBy, cause: errorOf({ ...end, abortedBy: undefined }) }
  }
  if (signal !== null) {
    const said = lastWord === undefined ? '' : `: ${lastWord}`
    return { name: 'ProgramKilled', message: `the program was killed by ${signal}${said}`, code: signal }
  }
  const message = lastWord ?? `the program ended with exit code ${code}, and wrote nothing to standard error`
  return { name: 'ProgramFailed', message, code: `EXIT_${code}` }
}

/** As a program says it. */
export const duration = z
  .union([z.number().nonnegative(), z.string()], { error: 'is neither a duration nor milliseconds' })
  .transform((value, context) => {
    const ms = typeof value === 'string' ? parseDuration(value) : value
    if (ms !== undefined && Number.isFinite(ms)) return ms
    context.issues.push({ code: 'custom', input: value, message: 'is not a duration; write 250ms, 30s, 5m, 1h' })
    return z.NEVER
  })

const said = z.strictObject({
  outcome: z.enum(['done', 'release', 'retry', 'reject', 'failed']).prefault('done'),
  response: z.unknown().exactOptional(),
  reason: z.string().exactOptional(),
  after: duration.exactOptional(),
})

function jsonOutcome({ output }: ProgramEnd): Outcome {
  if (output.isCut) return refused(`it has ${output.total} bytes, more than exec.maxOutput`)
  let value: unknown
  try {
    value = JSON.parse(output.text)
  } catch {
    return refused(output.text === '' ? 'it is empty' : 'it is not JSON')
  }
  const { data, error } = said.safeParse(value)
  if (data === undefined) {
    return refused(error.issues.map(({ message, path }) => [...path, message].join(': ')).join('; '))
  }
  const { outcome, reason, response, after: wait } = data
  const why = reason === undefined ? {} : { reason }
  switch (outcome) {
    case 'done':
      return done(typeof response === 'string' ? response : response == null ? '' : JSON.stringify(response))
    case 'release':
      return { outcome, ...why }
    case 'retry':
      return { outcome, ...why, ...(wait === undefined ? {} : { after: wait }) }
    case 'reject':
      return { outcome, reason: reason ?? 'rejected by the program' }
    case 'failed':
      return { outcome, error: { name: 'ProgramFailed', message: reason ?? 'the program says that it has failed' } }
  }
}

function refused(why: string): Outcome {
  const message = `what the program wrote to standard output is no outcome (exec.output: json): ${why}`
  return { outcome: 'failed', error: { name: 'ProgramFailed', message } }
}
