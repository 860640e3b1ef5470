import { isoTime } from '../../base/time-text.ts'
import type { Clink } from '../../clink/records.ts'
import type { LostCause } from '../../events.ts'
import type { ClinkApi } from '../../clink/clink-api.ts'
import type { Identity } from '../../keys/identity.ts'
import { startOf } from '../../clink/service-time.ts'

/** How many clinks one listing may bring. */
const PAGE = 100

/**
 * The clink as the service lists it now. There is no operation that reads one clink, so its group is listed from the moment of
 * its creation: in any state first, then state by state, for a group that is busier than a page is long.
 *
 * @param deadline local time after which nothing is asked any more.
 * @returns undefined when it is not listed; `failed` when the service did not answer. Never rejects.
 */
export async function findClink(
  clink: Clink,
  api: Pick<ClinkApi, 'getClinks'>,
  deadline: number,
  signal?: AbortSignal,
): Promise<Clink | undefined | 'failed'> {
  const created = startOf(clink.created_at)
  const since = Number.isNaN(created) ? {} : { since: isoTime(created) }
  for (const status of [undefined, 'completed', 'claimed', 'pending'] as const) {
    const filter = status === undefined ? {} : { status }
    const params = { group_id: clink.group_id, limit: PAGE, ...since, ...filter }
    try {
      const { clinks } = await api.getClinks(params, { deadline, attempts: 1, signal })
      const found = clinks.find(({ clink_id }) => clink_id === clink.clink_id)
      if (found !== undefined) return found
      if (status === undefined && clinks.length < PAGE) return undefined
    } catch {
      return 'failed'
    }
  }
  return undefined
}

/** How a record shows that our claim on it is gone; undefined where it does not. */
export function lossShownBy(record: Clink, identity: Identity): LostCause | undefined {
  if (record.status === 'completed') return 'completed-elsewhere'
  if (record.status === 'pending') return 'pending-again'
  if (record.status === 'claimed' && identity.isSomebodyElse(record.claimed_by)) return 'taken'
  return undefined
}
