import { z } from 'zod'
import { parseDuration } from '../base/duration.ts'
import type { ErrorFact } from '../base/error-fact.ts'
import { isRecord } from '../base/record.ts'
import { repeatedKey } from '../base/repeated-key.ts'
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
const REJECTED = 'rejected by the program'
/** What it has done by its outcome. */
const ASKED = {
  release: 'the program gave it back',
  retry: 'the program asked to be run again',
  reject: 'the program rejected it',
  failed: 'the program says that it has failed',
} as const

/** What the end of a program means. To be run again is what one asks for that was told to sleep. */
export function programOutcome(end: ProgramEnd, output: ProgramTarget['output']): Outcome {
  const outcome = outcomeOf(end, output)
  return outcome.outcome === 'retry' ? (end.asleep ?? outcome) : outcome
}

function outcomeOf(end: ProgramEnd, output: ProgramTarget['output']): Outcome {
  const { code, lastWord } = end
  const why = reasonOf(lastWord)
  if (code === 0 && output === 'json') return jsonOutcome(end)
  if (code === 0) return done(output === 'none' ? '' : end.output.text)
  if (code === RETRY) return { outcome: 'retry', own: `${ASKED.retry} (exit code ${RETRY})`, ...why }
  if (code === REJECT) {
    return { outcome: 'reject', reason: REJECTED, own: `${ASKED.reject} (exit code ${REJECT})`, ...why }
  }
  if (code === RELEASE) return { outcome: 'release', own: `${ASKED.release} (exit code ${RELEASE})`, ...why }
  return { outcome: 'failed', error: errorOf(end), own: ownOf(end), ...saidBy(lastWord) }
}

function reasonOf(said: string | undefined): { reason?: string; said?: string } {
  return said === undefined ? {} : { reason: said, said }
}

function saidBy(said: string | undefined): { said?: string } {
  return said === undefined ? {} : { said }
}

function done(text: string): Outcome {
  return text === '' ? { outcome: 'done' } : { outcome: 'done', response: text }
}

function errorOf(end: ProgramEnd): ErrorFact {
  const { abortedBy, code, lastWord, signal } = end
  if (abortedBy !== undefined) {
    return { name: 'HandlerAborted', message: abortedBy, cause: errorOf({ ...end, abortedBy: undefined }) }
  }
  const own = ownOf(end)
  if (signal !== null) {
    return { name: 'ProgramKilled', message: lastWord === undefined ? own : `${own}: ${lastWord}`, code: signal }
  }
  return { name: 'ProgramFailed', message: lastWord ?? own, code: `EXIT_${code}` }
}

function ownOf({ abortedBy, code, lastWord, signal }: ProgramEnd): string {
  if (abortedBy !== undefined) return abortedBy
  if (signal !== null) return `the program was killed by ${signal}`
  const ended = `the program ended with exit code ${code}`
  return lastWord === undefined ? `${ended}, and wrote nothing to standard error` : ended
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
  const { isCut, text, total } = output
  if (isCut) return refused(`${total} bytes, more than exec.maxOutput`, LESS)
  if (text.trim() === '') return refused('nothing', ONLY_THAT)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return refused(`${total} bytes that are not JSON`, ONLY_THAT)
  }
  if (!isRecord(value)) return refused(`${kindOf(value)} in JSON, of ${total} bytes`, ONLY_THAT)
  const key = repeatedKey(text)
  if (key !== undefined) return refused(`an object of ${total} bytes with a field twice`, FIELDS, JSON.stringify(key))
  const { data, error } = said.safeParse(value)
  if (data === undefined) {
    const faults = error.issues.map(({ message, path }) => [...path, message].join(': ')).join('; ')
    return refused(`an object of ${total} bytes with other fields or values`, FIELDS, faults)
  }
  const { outcome, reason, response, after: wait } = data
  const why = reasonOf(reason)
  switch (outcome) {
    case 'done':
      return done(typeof response === 'string' ? response : response == null ? '' : JSON.stringify(response))
    case 'release':
      return { outcome, own: ASKED[outcome], ...why }
    case 'retry':
      return { outcome, own: ASKED[outcome], ...why, ...(wait === undefined ? {} : { after: wait }) }
    case 'reject':
      return { outcome, reason: REJECTED, own: ASKED[outcome], ...why }
    case 'failed': {
      const message = reason ?? ASKED[outcome]
      return { outcome, error: { name: 'ProgramFailed', message }, own: ASKED[outcome], ...saidBy(reason) }
    }
  }
}

const EXPECTED =
  'with exec.output: json a program writes one JSON object to standard output, as {"outcome":"done","response":"…"}'
const ONLY_THAT =
  'write that and nothing else there, and what people are to read to standard error; or set exec.output: text, and what it writes is the response'
const LESS = 'write less, or raise exec.maxOutput'
const FIELDS = 'it may have outcome (done, release, retry, reject, failed), response, reason and after'

/**
 * @param what it wrote, without anything of it.
 * @param faults what is wrong in it, which may name parts of it.
 */
function refused(what: string, advice: string, faults?: string): Outcome {
  const own = `${EXPECTED}; this one wrote ${what}: ${advice}`
  const error = { name: 'ProgramFailed', message: faults === undefined ? own : `${own}: ${faults}` }
  return { outcome: 'failed', error, own, ...saidBy(faults) }
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  return value === null ? 'null' : typeof value === 'boolean' ? String(value) : `a ${typeof value}`
}
