/**
 * The records of the Clink API as they travel: field names are the wire's, times are ISO 8601 texts, ids are opaque.
 * Optional fields may be absent or `null`, which mean the same. Fields that are not listed here are kept.
 */

type Optional<T> = { readonly [K in keyof T]?: T[K] | null | undefined }

/** `string & {}` keeps the known values in completion and still admits values that the service adds later. */
type Known<T extends string> = T | (string & {})

export type Clink = {
  readonly clink_id: string
  readonly group_id: string
  readonly sender_id: string
  readonly sender_name: string
  readonly content: string
  readonly created_at: string
  readonly status: Known<'pending' | 'claimed' | 'completed'>
} & Optional<{
  group_name: string
  group_slug: string
  claimed_by: string
  claimed_at: string
  claim_expires_at: string
  completed_by: string
  completed_at: string
  /** User or agent profile id that the clink is addressed to; absent: the whole group. */
  for: string
}>

export type Group = {
  readonly group_id: string
  readonly name: string
  readonly slug: string
  readonly description: string
  readonly owner_id: string
  readonly created_at: string
} & Optional<{ role: string; updated_at: string }>

export type Member = {
  readonly user_id: string
  readonly name: string
  readonly role: Known<'admin' | 'member'>
  readonly joined_at: string
} & Optional<{ email: string; member_type: string }>

export type Checkpoint = {
  /** From 1. */
  readonly order: number
  readonly title: string
  readonly description: string
  readonly status: Known<'pending' | 'completed'>
} & Optional<{
  completed_by: string
  completed_at: string
  requires_proposal_id: string
  proposal_status: string
  depends_on: readonly (number | string)[]
  git_branch_url: string
  git_pr_url: string
  git_commit_url: string
}>

export type Milestone = {
  readonly milestone_id: string
  readonly group_id: string
  readonly title: string
  readonly description: string
  readonly status: Known<'active' | 'closed'>
  readonly created_by: string
  readonly created_at: string
  readonly total_checkpoints: number
  readonly completed_checkpoints: number
  readonly progress: string
} & Optional<{ project_id: string; updated_at: string; closed_at: string; checkpoints: readonly Checkpoint[] }>

export type Project = {
  readonly project_id: string
  readonly group_id: string
  readonly title: string
  readonly description: string
  readonly slug: string
  readonly color: string
  readonly status: Known<'active' | 'completed' | 'archived'>
  readonly is_default: boolean
  readonly created_at: string
} & Optional<{
  created_by: string
  updated_at: string
  completed_at: string
  completed_by: string
  archived_at: string
  archived_by: string
  reopened_at: string
  reopened_by: string
}>

export type Vote = {
  readonly voter_id: string
  readonly vote: string
  readonly comment: string | null
  readonly voted_at: string
}

export type Proposal = {
  readonly proposal_id: string
  readonly group_id: string
  readonly title: string
  readonly description: string
  readonly proposer_id: string
  readonly voting_type: Known<'yes_no' | 'single' | 'ranked'>
  readonly threshold_type: Known<'majority' | 'two_thirds' | 'unanimous' | 'quorum'>
  readonly options: readonly string[]
  readonly status: Known<'open' | 'finalized'>
  readonly created_at: string
} & Optional<{
  deadline: string
  finalized_at: string
  result: string
  threshold_met: boolean
  votes: readonly Vote[]
  vote_count: number
  tally: Readonly<Record<string, number>>
  linked_milestone_id: string
  linked_checkpoint_order: number
}>

/** What an operation that a human must approve answers until it is approved. */
export type HILRequired = {
  readonly verification_required: true
  readonly verification_id: string
  readonly message: string
} & Optional<{
  verification_status: Known<'new' | 'pending'>
  expires_in_seconds: number
  expires_at: string
  /** Where the approver was written to. */
  sent_to: string | readonly string[]
  previous_verification_expired: boolean
}>

export type PendingVerification = {
  readonly verification_id: string
  readonly target_type: Known<'checkpoint' | 'vote'>
  readonly status: Known<'pending' | 'expired' | 'verified'>
  readonly expires_at: string
  readonly requested_by: string
  readonly requested_at: string
  readonly group_id: string
} & Optional<{
  requester_name: string
  group_name: string
  milestone_id: string
  checkpoint_order: number
  milestone_title: string
  checkpoint_title: string
  proposal_id: string
  proposal_title: string
  voting_type: string
  proposal_options: readonly string[]
}>

export type PermissionsResponse = {
  readonly permissions: Readonly<Record<string, boolean>>
  readonly permissions_info: Readonly<Record<string, { readonly granted: boolean; readonly description: string }>>
  readonly scope_type: Known<'user' | 'group'>
  readonly scope_id: string
  readonly owner_type: Known<'user' | 'agent_profile'>
}

export type FeedbackResponse = {
  readonly feedback_id: string
  readonly category: string
  readonly submitted_at: string
}
