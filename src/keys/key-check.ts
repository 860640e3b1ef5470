import type { CallOptions } from '../clink/client.ts'
import { ClinkApiError } from '../clink/errors.ts'
import type { PermissionsResponse } from '../clink/records.ts'
import { orError } from '../clink/refusals.ts'
import { isVerdict, refusesKey } from '../clink/verdicts.ts'
import type { ClinkApi } from '../clink/clink-api.ts'
import type { Identity } from './identity.ts'

export type KeyVerdict =
  | { readonly is: 'ours' }
  /** Nothing speaks against it. Its first claim will tell. */
  | { readonly is: 'unknown' }
  /** `again`: the service may think otherwise later. */
  | { readonly is: 'refused'; readonly reason: string; readonly again: boolean }
  /** The service did not answer. */
  | { readonly is: 'unanswered' }

type Asks = Pick<ClinkApi, 'getMyPermissions'>

/** The permissions that the worker cannot do without, and that handlers usually want. */
export const NEEDED = ['clinks:read', 'clinks:write'] as const

/**
 * What the service says about a key before it is used. It names neither user nor profile: a key of user scope gives an id that can
 * be compared with another such key's, and equals our identity where ids are of one kind; a key of one group says no more
 * than whether a user or a profile owns it. So it may prove that the key is ours, or that it is not, or neither.
 *
 * @param present the key in use; undefined: it says nothing about who we are.
 */
export async function checkKey(
  candidate: Asks,
  present: Asks | undefined,
  identity: Identity,
  options: CallOptions,
  /** The error as it counts after those of earlier checks of the same key. */
  weigh: (error: ClinkApiError) => ClinkApiError,
): Promise<KeyVerdict> {
  const theirs = await ask(candidate, options)
  if (theirs instanceof ClinkApiError) return verdictOn(weigh(theirs))
  const missing = lacking(theirs)
  if (missing.length > 0) return { is: 'refused', reason: `the key lacks ${missing.join(' and ')}`, again: true }
  if (theirs.scope_type === 'user' && identity.isUs(theirs.scope_id)) return { is: 'ours' }
  if (present === undefined) return { is: 'unknown' }
  const ours = await ask(present, options)
  if (ours instanceof ClinkApiError) return { is: 'unknown' }
  if (ours.owner_type !== theirs.owner_type) {
    return refused(`the key belongs to ${kind(theirs)}, the one in use to ${kind(ours)}`)
  }
  if (ours.scope_type !== 'user' || theirs.scope_type !== 'user') return { is: 'unknown' }
  if (ours.scope_id === theirs.scope_id) return { is: 'ours' }
  return refused(`the key belongs to ${theirs.scope_id}, the one in use to ${ours.scope_id}`)
}

/**
 * Whether the permissions of a key keep it from working at all. Where the service does not tell, the answer is no: a
 * refusal then concerns only what was asked for.
 */
export async function lacksPermission(api: Asks, options: CallOptions): Promise<boolean> {
  const told = await ask(api, options)
  return !(told instanceof ClinkApiError) && lacking(told).length > 0
}

function lacking({ permissions }: PermissionsResponse): readonly string[] {
  return NEEDED.filter((name) => permissions[name] === false)
}

async function ask(api: Asks, options: CallOptions): Promise<PermissionsResponse | ClinkApiError> {
  return await orError(api.getMyPermissions({}, options))
}

function verdictOn(error: ClinkApiError): KeyVerdict {
  if (refusesKey(error)) return { is: 'refused', reason: `the service refuses the key: ${error.message}`, again: true }
  // Otherwise a key that may not ask this, or a service that does not know the question.
  return isVerdict(error) ? { is: 'unknown' } : { is: 'unanswered' }
}

function refused(reason: string): KeyVerdict {
  return { is: 'refused', reason, again: false }
}

function kind({ owner_type: type }: PermissionsResponse): string {
  return type === 'agent_profile' ? 'an agent profile' : `a ${type}`
}
