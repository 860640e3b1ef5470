import { steadyOf } from '../../base/clock.ts'
import { BareRefusals } from '../../clink/bare-refusals.ts'
import { refusesRelease } from '../../clink/verdicts.ts'
import type { ReleaseCause } from '../../events.ts'
import type { Settled } from '../delivery/handle.ts'
import { apiError, refusal } from '../../clink/refusals.ts'
import { limits, mayTry, pauseAfter, sayTaken, whyUntold, type Claimed } from './attempts.ts'
import type { SettlementContext } from './context.ts'

/**
 * Releases a claim. Sent again only when it surely had no effect, or at a stop when nobody else uses the key: a second release
 * could take away what another worker with this key, or our own next poll, has claimed in between. That siblings' claims are refused
 * says nothing about their releases. Otherwise the claim is left to expire. Where the time for stopping ends it, that is `unconfirmed`.
 */
export async function release(
  claimed: Claimed,
  why: ReleaseCause,
  reason: string | undefined,
  context: SettlementContext,
): Promise<Settled> {
  const [{ api, clink, holder }, { clock }] = [claimed, context]
  const startedAt = clock.now()
  const refusals = new BareRefusals()
  let hadNoEffect = true
  const left = (why: string): Settled =>
    context.closing.aborted ? { is: 'unconfirmed', hadNoEffect } : { is: 'left-to-expire', why }
  const untold = await whyUntold(claimed, context)
  if (untold !== undefined) return left(untold)
  await holder.stopRenewing()
  for (let tries = 1; mayTry(claimed, context); tries += 1) {
    try {
      await api.releaseClink({ clink_id: clink.clink_id }, limits(claimed, context))
      sayTaken(context)
      return { is: 'released', why, ...(reason === undefined ? {} : { reason }), duration: clock.now() - startedAt }
    } catch (thrown) {
      const error = refusals.weigh(apiError(thrown), steadyOf(clock).now())
      if (refusesRelease(error)) return { is: 'elsewhere', detail: refusal(error) }
      const mayRepeat = context.settings.current.claim.exclusive && claimed.isLast === true
      hadNoEffect &&= !error.mayHaveHappened
      if (error.mayHaveHappened && !mayRepeat) return left(`the release was sent and not answered: ${error.message}`)
      await pauseAfter(error, tries, 'release', claimed, context)
    }
  }
  return left('no time was left in which the service took the release')
}
