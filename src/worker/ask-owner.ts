import type { CallOptions } from '../clink/client.ts'
import { ClinkApiError } from '../clink/errors.ts'
import type { Clink } from '../clink/records.ts'
import { refusesClaim } from '../clink/verdicts.ts'
import type { WorkerKey } from '../keys/keys.ts'

/**
 * What a renewal says of the claim's owner. `untold`: the claim is ours and carries no name; `refused`: it is not ours, or holding
 * it twice is refused; `failed`: there was no answer to the question.
 */
export type OwnerAnswer = { readonly id: string } | 'untold' | 'refused' | 'failed'

/** Claims what is claimed already for the answer: the record as claimed, which may name its owner. Never rejects. */
export async function askOwner(
  { clink_id }: Clink,
  { api }: WorkerKey,
  limits: Pick<CallOptions, 'deadline' | 'signal'>,
): Promise<OwnerAnswer> {
  try {
    const { claimed_by: id, status } = await api.claimClink({ clink_id }, { ...limits, attempts: 1 })
    if (status !== 'claimed') return 'refused'
    return typeof id === 'string' ? { id } : 'untold'
  } catch (error) {
    return error instanceof ClinkApiError && refusesClaim(error) ? 'refused' : 'failed'
  }
}
