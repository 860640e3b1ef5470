import type { Clink } from '../../clink/records.ts'
import type { Config } from '../../config/config.ts'
import type { LeftAlone } from '../../events.ts'
import type { RoutedClink, Router } from '../../handlers/route.ts'
import type { Identity } from '../../keys/identity.ts'
import type { Memory } from '../../ledger/memory.ts'
import type { Acknowledgement } from './acknowledgements.ts'
import { hopsOf, readText, routeOf, whyNoWork } from '../replies/hops.ts'
import type { AdmissionContext } from './context.ts'

/** What is to be done with a clink that may be claimed: run it, or complete it without running it. */
type Wanted = { readonly run: RoutedClink } | Acknowledgement
/** Why a clink is claimed by id; `identify`: the claim tells who we are, and so whether we sent the clink ourselves. */
export type Purpose = Wanted | { readonly identify: true }
/** `wait`: milliseconds after which it is judged anew. */
export type Unwanted = Acknowledgement | { readonly leave: LeftAlone; readonly wait?: number }
export type Verdict = { readonly run: RoutedClink } | Unwanted

/** What a verdict goes by, beside the route of the clink. */
interface JudgedBy {
  readonly identity: Pick<Identity, 'id' | 'isUs'>
  readonly config: Pick<Config, 'inbox' | 'replies'>
  /** What is remembered of the clink. */
  readonly memory: Pick<Memory, 'coolsFor' | 'isCooling' | 'isLeftToLetter' | 'isOwn'>
  /** Its sender and we answer each other in a circle. */
  readonly isMuted: boolean
}

/** A verdict for which the route does not matter; undefined: it does. Pure. */
function judgeUnrouted(clink: Clink, { config, identity, memory }: JudgedBy): Unwanted | undefined {
  const { ending } = readText(clink.content, config.replies.mark)
  const why = memory.isOwn ? 'own-reply' : whyNoWork(ending, clink.sender_id, identity)
  if (why === 'identity-unknown') return { leave: why }
  if (why !== undefined) return config.inbox.ownReplies === 'acknowledge' ? { acknowledge: why } : { leave: why }
  if (memory.isLeftToLetter(clink)) return { leave: 'given-up' }
  return memory.isCooling ? { leave: 'cooling', wait: memory.coolsFor } : undefined
}

/** The verdict on a clink whose route was looked for. Pure. */
function judgeRouted(
  clink: Clink,
  routed: RoutedClink | undefined,
  { config, identity, isMuted }: Omit<JudgedBy, 'memory'>,
): Verdict {
  if (routed === undefined) return { leave: 'no-route' }
  const hops = hopsOf(readText(clink.content, config.replies.mark).ending)
  if (hops >= config.inbox.maxHops) return { acknowledge: 'circle', hops }
  return !identity.isUs(clink.sender_id) && isMuted ? { leave: 'muted' } : { run: routed }
}

/** Why a clink is not run. */
export function whyUnwanted(verdict: Unwanted): LeftAlone {
  return 'leave' in verdict ? verdict.leave : verdict.acknowledge
}

/** What is asked about a clink that is judged. */
export interface JudgingContext extends Pick<AdmissionContext, 'settings'> {
  readonly identity: JudgedBy['identity']
  readonly router: Pick<Router, 'find'>
  readonly ledger: { recallOne(clinkId: string): Promise<JudgedBy['memory']> }
  readonly loopGuard: Pick<AdmissionContext['loopGuard'], 'isMuted'>
  readonly nameWarnings: Pick<AdmissionContext['nameWarnings'], 'look'>
}

/**
 * Whether a clink is our work: what is remembered of it, then its route, then the rest. A promise only where finding the route is one;
 * it rejects where that fails.
 */
export function judge(clink: Clink, memory: JudgedBy['memory'], context: JudgingContext): Verdict | Promise<Verdict> {
  context.nameWarnings.look(clink)
  const by = factsOn(clink, memory, context)
  const unrouted = judgeUnrouted(clink, by)
  if (unrouted !== undefined) return unrouted
  const routing = routeOf(clink, context)
  if (!(routing instanceof Promise)) return judgeRouted(clink, routing, by)
  return routing.then(async (routed) => {
    // Meanwhile its id may have been told, or it was given up.
    const now = factsOn(clink, await context.ledger.recallOne(clink.clink_id), context)
    return judgeUnrouted(clink, now) ?? judgeRouted(clink, routed, now)
  })
}

function factsOn(
  clink: Clink,
  memory: JudgedBy['memory'],
  { identity, loopGuard, settings }: JudgingContext,
): JudgedBy {
  const isMuted = loopGuard.isMuted(clink.sender_id)
  return { identity, config: settings.current, memory, isMuted }
}
