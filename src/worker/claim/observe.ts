import type { Clink } from '../../clink/records.ts'
import type { LostCause } from '../../events.ts'
import type { ClinkApi } from '../../clink/clink-api.ts'
import type { Identity } from '../../keys/identity.ts'
import { ClinkApiError } from '../../clink/errors.ts'
import { orError } from '../../clink/refusals.ts'
import type { Keys, WorkerKey } from '../../keys/keys.ts'
import { sinceOf } from '../../clink/service-time.ts'

/** How many clinks one listing may bring. */
const PAGE = 100

/**
 * The clink as the service lists it now. There is no operation that reads one clink, so its group is listed from the moment of
 * its creation: in any state first, then state by state, for a group that is busier than a page is long.
 *
 * @param deadline local time after which nothing is asked any more.
 * @returns undefined when it is not listed; `hidden` where it may be, behind as many as a page holds; `failed` when the service did not answer. Never
 * rejects.
 */
export async function findClink(
  clink: Clink,
  api: Pick<ClinkApi, 'getClinks'>,
  deadline: number,
  signal?: AbortSignal,
): Promise<Clink | undefined | 'hidden' | 'failed'> {
  return await seek(clink, api, deadline, signal).catch(() => 'failed')
}

/** As `findClink`, and rejects where the service did not answer. */
async function seek(
  clink: Clink,
  api: Pick<ClinkApi, 'getClinks'>,
  deadline: number,
  signal?: AbortSignal,
): Promise<Clink | undefined | 'hidden'> {
  let isHidden = false
  for (const status of [undefined, 'completed', 'claimed', 'pending'] as const) {
    const params = { group_id: clink.group_id, limit: PAGE, ...sinceOf(clink.created_at), status }
    const { clinks } = await api.getClinks(params, { deadline, attempts: 1, signal })
    const found = clinks.find(({ clink_id }) => clink_id === clink.clink_id)
    if (found !== undefined) return found
    if (status === undefined && clinks.length < PAGE) return undefined
    if (status !== undefined && clinks.length >= PAGE) isHidden = true
  }
  return isHidden ? 'hidden' : undefined
}

/**
 * Whom a list shows as the owner of a claim whose answers do not say. `untold`: it does not say either, so that nothing more can be found out
 * about the key; `unclear`: it shows somebody else, who may have taken it since, or nobody, where another one did; an error: no answer came.
 */
export async function listedOwner(
  clink: Clink,
  key: WorkerKey,
  keys: Keys,
  ...limits: [deadline: number, signal: AbortSignal]
): Promise<{ readonly id: string } | 'untold' | 'unclear' | ClinkApiError> {
  const seen = await orError(seek(clink, key.api, ...limits))
  if (seen instanceof ClinkApiError) return seen
  if (typeof seen === 'object' && seen.status === 'claimed' && typeof seen.claimed_by === 'string')
    return keys.shown(key, seen.claimed_by) ? { id: seen.claimed_by } : 'unclear'
  keys.untold(key)
  return key.suspect === undefined ? 'untold' : 'unclear'
}

/** How a record shows that our claim on it is gone; undefined where it does not. */
export function lossShownBy(record: Clink, identity: Identity): LostCause | undefined {
  if (record.status === 'completed') return 'completed-elsewhere'
  if (record.status === 'pending') return 'pending-again'
  if (record.status === 'claimed' && identity.isSomebodyElse(record.claimed_by)) return 'taken'
  return undefined
}
