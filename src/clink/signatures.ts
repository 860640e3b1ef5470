import type { OperationName } from './contract.ts'
import type { Clink } from './records.ts'

/** One record that lacks what it must have. It does not hurt the others of its list. */
export interface Malformed {
  readonly id: string | undefined
  /** Which field, and what is wrong with it. */
  readonly problem: string
  /** As it came; undefined where it is too large or too deep to be copied. */
  readonly record: unknown
}

/** The records under `name` that are whole, and those that are not. */
export type List<Name extends string, T> = { readonly [K in Name]: T[] } & { readonly malformed: Malformed[] }

export interface InboxPage {
  readonly clinks: Clink[]
  /** How many the service says that it returned. */
  readonly count: number
  readonly claimed_count?: number | null
  readonly malformed: Malformed[]
}

export interface Completion {
  readonly clink: Clink
  /** The clink that carries the response to the sender. */
  readonly response_clink_id?: string | null
}

type Optional<T> = { readonly [K in keyof T]?: T[K] | undefined }
type None = Readonly<Record<string, never>>

type GroupId = { readonly group_id: string }
type ClinkId = { readonly clink_id: string }
type MilestoneId = { readonly milestone_id: string }
type CheckpointOrder = MilestoneId & {
  /** From 1. */
  readonly order: number
}
type ProjectId = { readonly project_id: string }
type ProposalId = { readonly proposal_id: string }

type CheckpointLinks = {
  git_branch_url: string
  git_pr_url: string
  git_commit_url: string
}
/** Orders of the same milestone, or `"ms_x:4"` for another's. */
type CheckpointDependencies = {
  depends_on: readonly (number | string)[]
}

export type NewCheckpoint = { readonly title: string } & Optional<
  { description: string; requires_consensus: boolean } & CheckpointDependencies & CheckpointLinks
>

type MilestoneFilter = Optional<{ status: 'active' | 'closed'; limit: number }>

/** What each operation takes. Names are the wire's; an undefined one is left out. */
interface OperationParams {
  list_groups: None
  /** A slug, or an id, which is returned as it is. */
  resolve_group: { readonly slug: string }
  get_group: GroupId
  list_members: GroupId
  get_clinks: Optional<{
    group_id: string
    since: string
    limit: number
    status: 'pending' | 'claimed' | 'completed'
    for_me: boolean
    unread_only: boolean
    mark_read: boolean
  }>
  mark_read: { readonly group_ids: readonly string[] }
  send_clink: GroupId & { readonly content: string } & Optional<{ for: string }>
  check_inbox: Optional<{
    status: 'pending' | 'claimed' | 'completed'
    for_me: boolean
    claim: boolean
    limit: number
    since: string
  }>
  claim_clink: ClinkId & Optional<{ timeout_seconds: number }>
  release_clink: ClinkId
  complete_clink: ClinkId & Optional<{ response: string }>
  create_milestone: GroupId & { readonly title: string; readonly checkpoints: readonly NewCheckpoint[] } & Optional<{
      description: string
      project_id: string
    }>
  list_milestones: GroupId & MilestoneFilter
  get_milestone: MilestoneId
  update_milestone: MilestoneId & Optional<{ title: string; description: string }>
  add_checkpoint: MilestoneId & NewCheckpoint & Optional<{ position: number }>
  update_checkpoint: CheckpointOrder &
    Optional<{ title: string; description: string } & CheckpointDependencies & CheckpointLinks>
  delete_checkpoint: CheckpointOrder
  complete_checkpoint: CheckpointOrder & Optional<{ hil_expiry_seconds: number }>
  reopen_milestone: MilestoneId
  create_project: GroupId & { readonly title: string } & Optional<{ description: string; slug: string; color: string }>
  list_projects: GroupId & Optional<{ status: 'active' | 'completed' | 'archived'; limit: number }>
  get_project: ProjectId
  update_project: ProjectId & Optional<{ title: string; description: string; slug: string; color: string }>
  complete_project: ProjectId
  archive_project: ProjectId
  reopen_project: ProjectId
  list_project_milestones: ProjectId & MilestoneFilter
  create_proposal: GroupId & { readonly title: string } & Optional<{
      description: string
      voting_type: 'yes_no' | 'single' | 'ranked'
      threshold_type: 'majority' | 'two_thirds' | 'unanimous' | 'quorum'
      options: readonly string[]
      deadline_hours: number
    }>
  list_proposals: GroupId & Optional<{ status: 'open' | 'finalized'; limit: number }>
  get_proposal: ProposalId
  cast_vote: ProposalId & { readonly vote: string } & Optional<{ comment: string; hil_expiry_seconds: number }>
  finalize_proposal: ProposalId & Optional<{ total_eligible_voters: number }>
  submit_feedback: {
    readonly category: 'bug' | 'feature' | 'improvement' | 'other'
    readonly content: string
  } & Optional<{ context: Readonly<Record<string, unknown>> }>
  get_my_permissions: None
  list_pending_verifications: GroupId & Optional<{ limit: number }>
}

export type ParamsOf<N extends OperationName> = OperationParams[N]
