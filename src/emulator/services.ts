import type { OperationName } from '../clink/contract.ts'
import type { Call } from './call.ts'
import type { Permission } from './permissions.ts'
import { claimClink, completeClink, releaseClink } from './resources/claims.ts'
import { getClinks, markRead, sendClink } from './resources/clinks.ts'
import { getGroup, groupsBySlug, listGroups, listMembers } from './resources/groups.ts'
import { checkInbox } from './resources/inbox.ts'
import { getMyPermissions } from './resources/own-permissions.ts'

/** What an operation needs and does. `run` is synchronous, so that no two requests ever interleave. */
export interface Service {
  readonly needs?: Permission
  /** Needed as well when the request says that it claims. */
  readonly needsToClaim?: Permission
  run(call: Call): unknown
}

export const services: Readonly<Partial<Record<OperationName, Service>>> = {
  list_groups: { run: listGroups },
  resolve_group: { run: groupsBySlug },
  get_group: { run: getGroup },
  list_members: { needs: 'members:read', run: listMembers },
  get_clinks: { needs: 'clinks:read', run: getClinks },
  mark_read: { needs: 'clinks:read', run: markRead },
  send_clink: { needs: 'clinks:write', run: sendClink },
  check_inbox: { needs: 'clinks:read', needsToClaim: 'clinks:write', run: checkInbox },
  claim_clink: { needs: 'clinks:write', run: claimClink },
  release_clink: { needs: 'clinks:write', run: releaseClink },
  complete_clink: { needs: 'clinks:write', run: completeClink },
  get_my_permissions: { run: getMyPermissions },
}
