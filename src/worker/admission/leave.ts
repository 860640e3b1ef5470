import type { Clink } from '../../clink/records.ts'
import type { AdmissionContext } from './context.ts'
import type { LeftAloneNotices } from './left-alone.ts'
import type { Parked } from './parked.ts'
import { leaseIfSurelyOurs, type FreshClaim } from './surely-ours.ts'
import type { Unwanted } from './verdict.ts'

interface LeaveParts {
  readonly context: AdmissionContext
  readonly intake: {
    readonly isClosing: boolean
    readonly hurried: AbortSignal
    readonly notices: Pick<LeftAloneNotices, 'note'>
  }
  readonly parked: Parked
}

/** Whoever is to run the clink, it is not this worker, or not now. @returns false: it is not being worked. */
export function leave(
  clink: Clink,
  claim: FreshClaim,
  { leave: why, wait }: Exclude<Unwanted, { readonly acknowledge: unknown }>,
  parts: LeaveParts,
): Promise<false> | false {
  const { context, intake, parked } = parts
  intake.notices.note(clink.clink_id, why)
  if (why === 'paused' && context.siblings.isDueOn(clink.clink_id)) return tryPaused(clink, claim, parts)
  parked.add(clink, claim, why, wait)
  // It was claimed to find out who we are, and is anybody's again.
  return claim.byId && parked.giveBack(clink.clink_id).then(() => false)
}

/**
 * Where nothing else comes, a clink of a paused route shows whether claims by id are safe. If they are, what polls have brought of such routes is
 * anybody's again: from now on it is chosen what is claimed.
 */
async function tryPaused(clink: Clink, claim: FreshClaim, { context, intake, parked }: LeaveParts): Promise<false> {
  const lease = await leaseIfSurelyOurs(clink, claim, intake, context)
  if (lease === undefined) return false
  parked.add(clink, { ...claim, lease }, 'paused')
  if (context.siblings.mayClaimById === true) await parked.giveBackPaused()
  return false
}
