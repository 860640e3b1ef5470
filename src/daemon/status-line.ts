import type { Liveness } from '../worker/liveness/liveness.ts'
import type { Readiness } from '../worker/liveness/readiness.ts'

/** What one line about a worker is made of. */
export interface StatusFacts {
  readonly liveness: Liveness
  readonly readiness: Readiness
  readonly isStopping: boolean
  /** The last attempt to read configuration and handlers again failed. */
  readonly reloadFailed: boolean
  readonly counts: Readonly<Record<'running' | 'queued' | 'held' | 'settling' | 'rerunning' | 'stuck', number>>
  readonly totals: Readonly<Record<'completed' | 'released' | 'deadLettered' | 'lost', number>>
}

/** What a worker does, or what keeps it from working. Lines that differ in numbers only are of one kind. */
export interface StatusLine {
  readonly kind: string
  readonly text: string
}

/** One sentence, for people. */
export function statusLine(facts: StatusFacts): StatusLine {
  const { isStopping, liveness, readiness } = facts
  const doing = counted(facts.counts, DOING)
  if (isStopping) return { kind: 'stopping', text: `Stopping: ${doing === '' ? 'nothing is in hand' : doing}` }
  if (!liveness.alive) return blocked('Stands still', liveness.reasons)
  if (!readiness.ready) return blocked('Not ready', readiness.reasons)
  const failed = facts.reloadFailed ? '. The last reload failed, and what was in use before stays: see the log' : ''
  const done = counted(facts.totals, DONE)
  const since = `; since the start ${done === '' ? 'nothing was done' : done}`
  const kind = `${doing === '' ? 'idle' : 'working'}${failed}`
  return { kind, text: `${doing === '' ? 'Waits for clinks' : `Works: ${doing}`}${since}${failed}` }
}

const DOING = [
  ['running', 'running'],
  ['queued', 'about to start'],
  ['held', 'waiting for a retry'],
  ['settling', 'being settled'],
  ['rerunning', 'being run again by hand'],
  ['stuck', 'stuck'],
] as const

const DONE = [
  ['completed', 'completed'],
  ['released', 'released'],
  ['deadLettered', 'given up'],
  ['lost', 'lost'],
] as const

function blocked(what: string, [first = '', ...others]: readonly string[]): StatusLine {
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`
  return { kind: `${what} ${first.replaceAll(/\d+/g, '')}`, text: `${what}: ${first}${more}` }
}

function counted<Name extends string>(
  numbers: Readonly<Record<Name, number>>,
  words: readonly (readonly [name: Name, word: string])[],
): string {
  return words
    .filter(([name]) => numbers[name] > 0)
    .map(([name, word]) => `${numbers[name]} ${word}`)
    .join(', ')
}
