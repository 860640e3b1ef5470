import type { OperationName } from './contract.ts'
import { approved, array, kept, list, object, one, textOf, UnusableData, type Decode } from './decode.ts'
import * as schemas from './schemas.ts'
import type { Completion, InboxPage } from './signatures.ts'

const clinks = list('clinks', schemas.clink, 'clink_id')

const readers = {
  list_groups: list('groups', schemas.group, 'group_id'),
  resolve_group: (data: unknown): string => {
    const [first] = array(object(data), 'groups')
    if (first === undefined) throw new UnusableData('none', 'no group has this slug')
    const id = textOf(first, 'group_id')
    if (id === undefined) throw new UnusableData('unreadable', 'the first group has no group_id')
    return id
  },
  get_group: one(schemas.group),
  list_members: list('members', schemas.member, 'user_id'),
  get_clinks: clinks,
  mark_read: (data: unknown) => kept(object(data)),
  send_clink: one(schemas.sentClink),
  check_inbox: (data: unknown): InboxPage => {
    const page: ReturnType<typeof clinks> & { readonly claimed_count?: unknown } = clinks(data)
    const { count } = object(data)
    const { claimed_count: claimed, ...rest } = page
    return {
      ...rest,
      // A claiming poll has claimed whatever it says about numbers, so these alone do not make it unreadable.
      count: typeof count === 'number' ? count : page.clinks.length + page.malformed.length,
      ...(typeof claimed === 'number' ? { claimed_count: claimed } : {}),
    }
  },
  claim_clink: one(schemas.knownClink),
  release_clink: one(schemas.knownClink),
  complete_clink: (data: unknown): Completion => {
    const { clink, response_clink_id: _, ...rest } = object(data)
    const id = textOf(data, 'response_clink_id')
    return {
      ...kept(rest),
      clink: one(schemas.knownClink)(clink),
      ...(id === undefined ? {} : { response_clink_id: id }),
    }
  },
  create_milestone: one(schemas.milestone),
  list_milestones: list('milestones', schemas.milestone, 'milestone_id'),
  get_milestone: one(schemas.milestone),
  update_milestone: one(schemas.milestone),
  add_checkpoint: one(schemas.milestone),
  update_checkpoint: one(schemas.milestone),
  delete_checkpoint: one(schemas.milestone),
  complete_checkpoint: approved(schemas.milestone),
  reopen_milestone: one(schemas.milestone),
  create_project: one(schemas.project),
  list_projects: list('projects', schemas.project, 'project_id'),
  get_project: one(schemas.project),
  update_project: one(schemas.project),
  complete_project: one(schemas.project),
  archive_project: one(schemas.project),
  reopen_project: one(schemas.project),
  list_project_milestones: list('milestones', schemas.milestone, 'milestone_id'),
  create_proposal: one(schemas.proposal),
  list_proposals: list('proposals', schemas.proposal, 'proposal_id'),
  get_proposal: one(schemas.proposal),
  cast_vote: approved(schemas.proposal),
  finalize_proposal: one(schemas.proposal),
  submit_feedback: one(schemas.feedback),
  get_my_permissions: one(schemas.permissions),
  list_pending_verifications: list('verifications', schemas.pendingVerification, 'verification_id'),
} satisfies Record<OperationName, Decode<unknown>>

/** What each operation returns. */
export type ResultOf<N extends OperationName> = ReturnType<(typeof readers)[N]>

/** How the `data` of each operation is read. */
export const decoders: { readonly [N in OperationName]: Decode<ResultOf<N>> } = readers
