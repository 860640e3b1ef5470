import type { ClinkClient } from './client.ts'

/** The operations of Clink that the heart itself uses. */
export type ClinkApi = Pick<
  ClinkClient,
  | 'checkInbox'
  | 'claimClink'
  | 'releaseClink'
  | 'completeClink'
  | 'getClinks'
  | 'sendClink'
  | 'listGroups'
  | 'resolveGroup'
  | 'listMembers'
  | 'getMyPermissions'
>
