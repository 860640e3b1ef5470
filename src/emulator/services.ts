import type { OperationName } from '../clink/contract.ts'
import type { Call } from './call.ts'
import type { Permission } from './permissions.ts'
import { claimClink, completeClink, releaseClink } from './resources/claims.ts'
import { getClinks, markRead, sendClink } from './resources/clinks.ts'
import { getGroup, groupsBySlug, listGroups, listMembers } from './resources/groups.ts'
import { checkInbox } from './resources/inbox.ts'
import { addCheckpoint, completeCheckpoint, deleteCheckpoint, updateCheckpoint } from './resources/checkpoints.ts'
import { submitFeedback } from './resources/feedback.ts'
import {
  createMilestone,
  getMilestone,
  listMilestones,
  reopenMilestone,
  updateMilestone,
} from './resources/milestones.ts'
import {
  archiveProject,
  completeProject,
  createProject,
  getProject,
  listProjectMilestones,
  listProjects,
  reopenProject,
  updateProject,
} from './resources/projects.ts'
import { castVote, createProposal, finalizeProposal, getProposal, listProposals } from './resources/proposals.ts'
import { listPendingVerifications } from './resources/verifications.ts'
import { getMyPermissions } from './resources/own-permissions.ts'

/** What an operation needs and does. `run` is synchronous, so that no two requests ever interleave. */
export interface Service {
  readonly needs?: Permission
  /** Needed as well when the request says that it claims. */
  readonly needsToClaim?: Permission
  run(call: Call): unknown
}

export const services: Readonly<Record<OperationName, Service>> = {
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
  create_milestone: { needs: 'milestones:write', run: createMilestone },
  list_milestones: { needs: 'milestones:read', run: listMilestones },
  get_milestone: { needs: 'milestones:read', run: getMilestone },
  update_milestone: { needs: 'milestones:write', run: updateMilestone },
  add_checkpoint: { needs: 'milestones:write', run: addCheckpoint },
  update_checkpoint: { needs: 'milestones:write', run: updateCheckpoint },
  delete_checkpoint: { needs: 'milestones:write', run: deleteCheckpoint },
  complete_checkpoint: { needs: 'milestones:complete', run: completeCheckpoint },
  reopen_milestone: { needs: 'milestones:write', run: reopenMilestone },
  create_project: { needs: 'projects:write', run: createProject },
  list_projects: { needs: 'projects:read', run: listProjects },
  get_project: { needs: 'projects:read', run: getProject },
  update_project: { needs: 'projects:write', run: updateProject },
  complete_project: { needs: 'projects:write', run: completeProject },
  archive_project: { needs: 'projects:write', run: archiveProject },
  reopen_project: { needs: 'projects:write', run: reopenProject },
  list_project_milestones: { needs: 'milestones:read', run: listProjectMilestones },
  create_proposal: { needs: 'proposals:create', run: createProposal },
  list_proposals: { needs: 'proposals:read', run: listProposals },
  get_proposal: { needs: 'proposals:read', run: getProposal },
  cast_vote: { needs: 'proposals:vote', run: castVote },
  finalize_proposal: { needs: 'proposals:create', run: finalizeProposal },
  submit_feedback: { needs: 'feedback', run: submitFeedback },
  get_my_permissions: { run: getMyPermissions },
  list_pending_verifications: { run: listPendingVerifications },
}
