import { humanDuration } from '../base/duration.ts'
import type { WorkerEvent } from '../events.ts'
import { quotes } from '../observe/quoting.ts'

/** In place of words that show what a clink says. */
const UNSAID = 'not shown, it quotes the clink'

/** Words about a clink that may be somebody else's, without what shows its content. */
export function discreet(text: string, content: string): string {
  return quotes(text, content) ? UNSAID : text
}

/**
 * How long that takes of which a moment tells, in milliseconds; undefined: its words tell all. Most moments tell nothing else, and nobody may ever
 * look at them: their words are made when somebody does (`inWords`).
 */
export function lengthOf(event: WorkerEvent): number | undefined {
  // Most facts are told in words, or take no time.
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check
  switch (event.event) {
    case 'clink.claimed':
      return event.lease
    case 'clink.started':
      return event.waited < 1 ? undefined : event.waited
    case 'clink.ended':
      return whyEnded(event) === undefined ? event.duration : undefined
    default:
      return undefined
  }
}

/** The words of a moment, as `said` and `lengthOf` have told it. */
export function inWords(
  name: WorkerEvent['event'],
  words: string | undefined,
  length: number | undefined,
): string | undefined {
  if (length === undefined) return words
  if (name === 'clink.claimed') return `for ${span(length)}`
  return name === 'clink.started' ? `waited ${span(length)}` : `${words} after ${span(length)}`
}

/** What there is to say about a moment in a clink's life, for people; undefined: its name says all, with how long it took. */
export function said(event: WorkerEvent): string | undefined {
  // Most facts need no words.
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check
  switch (event.event) {
    case 'clink.renewed':
      return `${span(event.left)} left before, ${span(event.headroom)} to spare`
    case 'clink.renewalFailed':
      return `${event.error.message}; ${span(event.left)} left`
    case 'clink.renewalRefused':
      return `${event.why}; ${span(event.left)} left`
    case 'clink.ended': {
      const { clink, duration, outcome } = event
      const why = whyEnded(event)
      return why === undefined ? outcome : `${outcome} after ${span(duration)}: ${discreet(why, clink.content)}`
    }
    case 'clink.held':
      return `for ${span(event.wait)}: ${discreet(event.why, event.clink.content)}`
    case 'clink.step':
      return event.was === 'kept' ? `${event.name} (done by an earlier run)` : event.name
    case 'clink.completed':
      return event.presumed ? 'presumably: its answer did not arrive' : undefined
    case 'clink.released':
      return event.reason === undefined ? event.why : `${event.why}: ${discreet(event.reason, event.clink.content)}`
    case 'clink.lost':
      return event.detail === undefined ? event.cause : `${event.cause}: ${event.detail}`
    case 'clink.settlementFailed':
      return `${event.kind}: ${event.error.message}; again in ${span(event.wait)}`
    case 'clink.settledElsewhere':
      return event.detail
    case 'clink.leftToExpire':
      return event.why
    case 'clink.stuck':
      return event.advice
    case 'clink.deadLettered':
      return `after ${event.attempts} attempts: ${discreet(event.reason, event.clink.content)}`
    case 'clink.rerun':
      return event.step
    case 'clink.claimFailed':
    case 'clink.resultUnsent':
      return event.error.message
    default:
      return undefined
  }
}

function whyEnded({ error, reason, said: theirs }: Extract<WorkerEvent, { event: 'clink.ended' }>): string | undefined {
  return theirs ?? reason ?? error?.message
}

function span(ms: number): string {
  return humanDuration(Math.max(0, Math.round(ms)))
}
