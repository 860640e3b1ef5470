import type { InboxPage } from '../clink/client.ts'
import type { Clink } from '../clink/records.ts'
import type { WorkerKey } from '../keys/keys.ts'
import { askOwner } from './ask-owner.ts'
import type { WorkerContext } from './context.ts'
import { look } from './look.ts'
import { leaseOf } from './own-claims.ts'

/** What a claiming poll has brought. */
export interface ClaimedPage {
  readonly page: InboxPage
  /** The records on which we hold the claim. */
  readonly ours: ReadonlySet<Clink>
  /** Local time when the poll was sent. */
  readonly sentAt: number
  /** The key that it was sent with. */
  readonly key: WorkerKey
  /** Whether the claim on a clink was in hand before. */
  readonly isHeld: (clink: Clink) => boolean
  /** Ends what is asked about the page. */
  readonly signal: AbortSignal
}

/** Why the claims of a page may be somebody else's; undefined: they are ours. A page without claims says nothing about its key. */
export async function whyStrange(
  claimed: ClaimedPage,
  context: WorkerContext,
): Promise<'owner-unknown' | 'other-owner' | undefined> {
  if (claimed.ours.size === 0) return undefined
  const owner = await ownerOf(claimed, context)
  if (owner === 'failed') return 'owner-unknown'
  return context.keys.accept(claimed.key, owner === 'untold' ? undefined : owner.id) ? undefined : 'other-owner'
}

/**
 * Whom the claims of a page surely name as their owner. Where it does not say and nothing has told yet whose the key is, one of
 * them is renewed for the answer. `failed`: that was asked, and no answer came.
 */
async function ownerOf(
  { isHeld, key, ours, page, sentAt, signal }: ClaimedPage,
  { config, identity, keys }: WorkerContext,
): Promise<{ readonly id: string } | 'untold' | 'failed'> {
  const isWhole = page.claimed_count === page.clinks.length
  const named = page.clinks.find(({ claimed_by, status }) => status === 'claimed' && typeof claimed_by === 'string')
  if (isWhole && typeof named?.claimed_by === 'string') return { id: named.claimed_by }
  if (key.isProven || identity.id === undefined) return 'untold'
  const clink = [...ours].find((one) => !isHeld(one))
  if (clink === undefined) return 'untold'
  const { deadline } = leaseOf(clink, sentAt, config.claim)
  const owner = await askOwner(clink, key, { deadline, signal })
  if (owner === 'failed' || typeof owner === 'object') return owner
  const seen = await look(clink, key.api, deadline, signal)
  if (seen === 'failed') return 'failed'
  if (seen?.status === 'claimed' && typeof seen.claimed_by === 'string') return { id: seen.claimed_by }
  keys.trust(key)
  return 'untold'
}
