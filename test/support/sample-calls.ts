import type { OperationName } from '../../src/clink/contract.ts'
import type { ParamsOf } from '../../src/clink/signatures.ts'
import * as records from './sample-records.ts'

type Complete<T> = { readonly [K in keyof T]-?: NonNullable<T[K]> }

export interface SampleCall<N extends OperationName> {
  /** Every parameter that the operation knows: the compiler asks for them all. */
  readonly params: Complete<ParamsOf<N>>
  /** What must go over the wire, written from the API's documentation. */
  readonly sent: `${'GET' | 'POST' | 'PATCH' | 'DELETE'} /${string}`
  readonly body?: Readonly<Record<string, unknown>>
  /** The `data` of an answer. */
  readonly data: Readonly<Record<string, unknown>>
}

const links = {
  git_branch_url: 'https://git.example/b',
  git_pr_url: 'https://git.example/p',
  git_commit_url: 'https://git.example/c',
}
const since = '2026-11-01T10:00:00+01:00'
const sinceSent = '2026-11-01T10%3A00%3A00%2B01%3A00'

export const sampleCalls: { readonly [N in OperationName]: SampleCall<N> } = {
  list_groups: { params: {}, sent: 'GET /groups', data: { groups: [records.group] } },
  resolve_group: { params: { slug: 'team' }, sent: 'GET /groups?slug=team', data: { groups: [records.group] } },
  get_group: { params: { group_id: 'g1' }, sent: 'GET /groups/g1', data: { ...records.group } },
  list_members: { params: { group_id: 'g1' }, sent: 'GET /groups/g1/members', data: { members: [records.member] } },
  get_clinks: {
    params: { group_id: 'g1', since, limit: 7, status: 'claimed', for_me: true, unread_only: true, mark_read: true },
    sent: `GET /clinks?group_id=g1&since=${sinceSent}&limit=7&status=claimed&for_me=true&unread_only=true&mark_read=true`,
    data: { clinks: [records.clink] },
  },
  mark_read: {
    params: { group_ids: ['g1', 'g2'] },
    sent: 'POST /clinks/mark-read',
    body: { group_ids: ['g1', 'g2'] },
    data: { marked: 2 },
  },
  send_clink: {
    params: { group_id: 'g1', content: 'hello', for: 'u1' },
    sent: 'POST /groups/g1/clinks',
    body: { content: 'hello', for: 'u1' },
    data: { ...records.clink },
  },
  check_inbox: {
    params: { status: 'pending', for_me: true, claim: true, limit: 3, since },
    sent: `GET /inbox?status=pending&for_me=true&claim=true&limit=3&since=${sinceSent}`,
    data: { clinks: [records.clink], count: 1, claimed_count: 1 },
  },
  claim_clink: {
    params: { clink_id: 'msg_1', timeout_seconds: 60 },
    sent: 'POST /clinks/msg_1/claim',
    body: { timeout_seconds: 60 },
    data: { ...records.clink },
  },
  release_clink: {
    params: { clink_id: 'msg_1' },
    sent: 'POST /clinks/msg_1/release',
    body: {},
    data: { ...records.clink },
  },
  complete_clink: {
    params: { clink_id: 'msg_1', response: 'done' },
    sent: 'POST /clinks/msg_1/complete',
    body: { response: 'done' },
    data: { clink: records.clink, response_clink_id: 'msg_2' },
  },
  create_milestone: {
    params: {
      group_id: 'g1',
      title: 'Ship',
      checkpoints: [{ title: 'First', requires_consensus: true, depends_on: ['ms_2:4'], ...links }],
      description: 'It',
      project_id: 'pr_1',
    },
    sent: 'POST /groups/g1/milestones',
    body: {
      title: 'Ship',
      checkpoints: [{ title: 'First', requires_consensus: true, depends_on: ['ms_2:4'], ...links }],
      description: 'It',
      project_id: 'pr_1',
    },
    data: { ...records.milestone },
  },
  list_milestones: {
    params: { group_id: 'g1', status: 'closed', limit: 5 },
    sent: 'GET /groups/g1/milestones?status=closed&limit=5',
    data: { milestones: [records.milestone] },
  },
  get_milestone: { params: { milestone_id: 'ms_1' }, sent: 'GET /milestones/ms_1', data: { ...records.milestone } },
  update_milestone: {
    params: { milestone_id: 'ms_1', title: 'A', description: 'B' },
    sent: 'PATCH /milestones/ms_1',
    body: { title: 'A', description: 'B' },
    data: { ...records.milestone },
  },
  add_checkpoint: {
    params: {
      milestone_id: 'ms_1',
      title: 'Second',
      description: 'B',
      requires_consensus: false,
      depends_on: [1, 'ms_2:4'],
      ...links,
      position: 2,
    },
    sent: 'POST /milestones/ms_1/checkpoints',
    body: {
      title: 'Second',
      description: 'B',
      requires_consensus: false,
      depends_on: [1, 'ms_2:4'],
      ...links,
      position: 2,
    },
    data: { ...records.milestone },
  },
  update_checkpoint: {
    params: { milestone_id: 'ms_1', order: 2, title: 'A', description: 'B', depends_on: [], ...links },
    sent: 'PATCH /milestones/ms_1/checkpoints/2',
    body: { title: 'A', description: 'B', depends_on: [], ...links },
    data: { ...records.milestone },
  },
  delete_checkpoint: {
    params: { milestone_id: 'ms_1', order: 2 },
    sent: 'DELETE /milestones/ms_1/checkpoints/2',
    data: { ...records.milestone },
  },
  complete_checkpoint: {
    params: { milestone_id: 'ms_1', order: 2, hil_expiry_seconds: 60 },
    sent: 'POST /milestones/ms_1/checkpoints/2/complete',
    body: { hil_expiry_seconds: 60 },
    data: { ...records.milestone },
  },
  reopen_milestone: {
    params: { milestone_id: 'ms_1' },
    sent: 'POST /milestones/ms_1/reopen',
    body: {},
    data: { ...records.milestone },
  },
  create_project: {
    params: { group_id: 'g1', title: 'Site', description: 'B', slug: 'site', color: '#112233' },
    sent: 'POST /groups/g1/projects',
    body: { title: 'Site', description: 'B', slug: 'site', color: '#112233' },
    data: { ...records.project },
  },
  list_projects: {
    params: { group_id: 'g1', status: 'archived', limit: 5 },
    sent: 'GET /groups/g1/projects?status=archived&limit=5',
    data: { projects: [records.project] },
  },
  get_project: { params: { project_id: 'pr_1' }, sent: 'GET /projects/pr_1', data: { ...records.project } },
  update_project: {
    params: { project_id: 'pr_1', title: 'A', description: 'B', slug: 'c', color: '#445566' },
    sent: 'PATCH /projects/pr_1',
    body: { title: 'A', description: 'B', slug: 'c', color: '#445566' },
    data: { ...records.project },
  },
  complete_project: {
    params: { project_id: 'pr_1' },
    sent: 'POST /projects/pr_1/complete',
    body: {},
    data: { ...records.project },
  },
  archive_project: {
    params: { project_id: 'pr_1' },
    sent: 'POST /projects/pr_1/archive',
    body: {},
    data: { ...records.project },
  },
  reopen_project: {
    params: { project_id: 'pr_1' },
    sent: 'POST /projects/pr_1/reopen',
    body: {},
    data: { ...records.project },
  },
  list_project_milestones: {
    params: { project_id: 'pr_1', status: 'active', limit: 5 },
    sent: 'GET /projects/pr_1/milestones?status=active&limit=5',
    data: { milestones: [records.milestone] },
  },
  create_proposal: {
    params: {
      group_id: 'g1',
      title: 'Tea?',
      description: 'B',
      voting_type: 'single',
      threshold_type: 'two_thirds',
      options: ['tea', 'coffee'],
      deadline_hours: 24,
    },
    sent: 'POST /groups/g1/proposals',
    body: {
      title: 'Tea?',
      description: 'B',
      voting_type: 'single',
      threshold_type: 'two_thirds',
      options: ['tea', 'coffee'],
      deadline_hours: 24,
    },
    data: { ...records.proposal },
  },
  list_proposals: {
    params: { group_id: 'g1', status: 'finalized', limit: 5 },
    sent: 'GET /groups/g1/proposals?status=finalized&limit=5',
    data: { proposals: [records.proposal] },
  },
  get_proposal: { params: { proposal_id: 'prop_1' }, sent: 'GET /proposals/prop_1', data: { ...records.proposal } },
  cast_vote: {
    params: { proposal_id: 'prop_1', vote: 'yes', comment: 'B', hil_expiry_seconds: 60 },
    sent: 'POST /proposals/prop_1/vote',
    body: { vote: 'yes', comment: 'B', hil_expiry_seconds: 60 },
    data: { ...records.proposal },
  },
  finalize_proposal: {
    params: { proposal_id: 'prop_1', total_eligible_voters: 4 },
    sent: 'POST /proposals/prop_1/finalize',
    body: { total_eligible_voters: 4 },
    data: { ...records.proposal },
  },
  submit_feedback: {
    params: { category: 'bug', content: 'It broke', context: { tool: 'worker' } },
    sent: 'POST /feedback',
    body: { category: 'bug', content: 'It broke', context: { tool: 'worker' } },
    data: { ...records.feedback },
  },
  get_my_permissions: { params: {}, sent: 'GET /api-keys/me/permissions', data: { ...records.permissions } },
  list_pending_verifications: {
    params: { group_id: 'g1', limit: 5 },
    sent: 'GET /groups/g1/hil/pending?limit=5',
    data: { verifications: [records.verification] },
  },
}
