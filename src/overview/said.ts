import { humanDuration } from '../base/duration.ts'
import type { WorkerEvent } from '../events.ts'
import { quotes } from '../observe/quoting.ts'

/** In place of words that show what a clink says. */
const UNSAID = 'not shown, it quotes the clink'

/** Words about a clink that may be somebody else's, without what shows its content. */
export function discreet(text: string, content: string): string {
  return quotes(text, content) ? UNSAID : text
}

/** What there is to say about a moment in a clink's life, for people; undefined: its name says all. */
export function said(event: WorkerEvent): string | undefined {
  // Most facts need no words.
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check
  switch (event.event) {
    case 'clink.claimed':
      return `for ${span(event.lease)}`
    case 'clink.renewed':
      return `${span(event.left)} left before, ${span(event.headroom)} to spare`
    case 'clink.renewalFailed':
      return `${event.error.message}; ${span(event.left)} left`
    case 'clink.renewalRefused':
      return `${event.why}; ${span(event.left)} left`
    case 'clink.started':
      return event.waited < 1 ? undefined : `waited ${span(event.waited)}`
    case 'clink.ended': {
      const { clink, duration, error, outcome, reason, said: theirs } = event
      const why = theirs ?? reason ?? error?.message
      const words = why === undefined ? '' : `: ${discreet(why, clink.content)}`
      return `${outcome} after ${span(duration)}${words}`
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

function span(ms: number): string {
  return humanDuration(Math.max(0, Math.round(ms)))
}
