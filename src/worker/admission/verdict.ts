import type { Clink } from '../../clink/records.ts'
import type { LeftAlone } from '../../events.ts'
import type { RoutedClink } from '../../handlers/route.ts'
import type { Acknowledgement } from './acknowledgements.ts'
import { hopsOf, readText, whyNoWork } from '../replies/hops.ts'
import type { AdmissionContext } from './context.ts'

/** What is to be done with a clink that may be claimed: run it, or complete it without running it. */
type Wanted = { readonly run: RoutedClink } | Acknowledgement
/** Why a clink is claimed by id; `identify`: the claim tells who we are, and so whether we sent the clink ourselves. */
export type Purpose = Wanted | { readonly identify: true }
export type Verdict = Wanted | { readonly leave: LeftAlone }

/**
 * Whether a clink that a page shows is our work.
 *
 * @param mayCome whether one more of its route may be taken now.
 */
export function judge(clink: Clink, context: AdmissionContext, mayCome: (routed: RoutedClink) => boolean): Verdict {
  const { config, identity, ledger, loopGuard, nameWarnings, router } = context
  const { clink_id: id, content, sender_id } = clink
  nameWarnings.look(clink)
  const { ending } = readText(content, config.replies.mark)
  const { isCooling, isGivenUp, isOwn } = ledger.recall(id)
  const why = isOwn ? 'own-reply' : whyNoWork(ending, sender_id, identity)
  if (why === 'identity-unknown') return { leave: why }
  if (why !== undefined) return config.inbox.ownReplies === 'acknowledge' ? { acknowledge: why } : { leave: why }
  if (isGivenUp && ledger.letters.noticeFor(clink) === undefined) return { leave: 'given-up' }
  if (isCooling) return { leave: 'cooling' }
  const routed = router.route(clink, identity.id)
  if (routed === undefined) return { leave: 'no-route' }
  if (hopsOf(ending) >= config.inbox.maxHops) return { acknowledge: 'circle', hops: hopsOf(ending) }
  if (!identity.isUs(sender_id) && loopGuard.isMuted(sender_id)) return { leave: 'muted' }
  return mayCome(routed) ? { run: routed } : { leave: 'paused' }
}
