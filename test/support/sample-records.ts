import type {
  Checkpoint,
  Clink,
  FeedbackResponse,
  Group,
  HILRequired,
  Member,
  Milestone,
  PendingVerification,
  PermissionsResponse,
  Project,
  Proposal,
} from '../../src/clink/records.ts'

/** Whole records with the required fields only, as the service's documentation lists them. */
export const clink: Clink = {
  clink_id: 'msg_1',
  group_id: 'g1',
  sender_id: 'u1',
  sender_name: 'Ann',
  content: 'hello',
  created_at: '2026-11-01T10:00:00Z',
  status: 'pending',
}

export const group: Group = {
  group_id: '3f0b8a52-6d0e-4d6a-9a44-0d5c6d1f6a11',
  name: 'Team',
  slug: 'team',
  description: '',
  owner_id: 'u1',
  created_at: '2026-11-01T10:00:00Z',
}

export const member: Member = { user_id: 'u1', name: 'Ann', role: 'admin', joined_at: '2026-11-01T10:00:00Z' }

const checkpoint: Checkpoint = { order: 1, title: 'First', description: '', status: 'pending' }

export const milestone: Milestone = {
  milestone_id: 'ms_1',
  group_id: 'g1',
  title: 'Ship',
  description: '',
  status: 'active',
  created_by: 'u1',
  created_at: '2026-11-01T10:00:00Z',
  total_checkpoints: 1,
  completed_checkpoints: 0,
  progress: '0/1',
  checkpoints: [checkpoint],
}

export const project: Project = {
  project_id: 'pr_1',
  group_id: 'g1',
  title: 'Site',
  description: '',
  slug: 'site',
  color: '#112233',
  status: 'active',
  is_default: false,
  created_at: '2026-11-01T10:00:00Z',
}

export const proposal: Proposal = {
  proposal_id: 'prop_1',
  group_id: 'g1',
  title: 'Tea?',
  description: '',
  proposer_id: 'u1',
  voting_type: 'yes_no',
  threshold_type: 'majority',
  options: ['yes', 'no'],
  status: 'open',
  created_at: '2026-11-01T10:00:00Z',
}

export const hilRequired: HILRequired = {
  verification_required: true,
  verification_id: 'v_1',
  message: 'asked Ann',
  verification_status: 'new',
}

export const verification: PendingVerification = {
  verification_id: 'v_1',
  target_type: 'vote',
  status: 'pending',
  expires_at: '2026-11-01T10:05:00Z',
  requested_by: 'ap_1',
  requested_at: '2026-11-01T10:00:00Z',
  group_id: 'g1',
}

export const permissions: PermissionsResponse = {
  permissions: { 'clinks:read': true },
  permissions_info: { 'clinks:read': { granted: true, description: 'Read clinks' } },
  scope_type: 'group',
  scope_id: 'g1',
  owner_type: 'agent_profile',
}

export const feedback: FeedbackResponse = { feedback_id: 'f_1', category: 'bug', submitted_at: '2026-11-01T10:00:00Z' }
