import { body, get, hilExpiry, listLimit, need, oneOf, post, type Operation } from './operation.ts'

/** Proposals, feedback, permissions and approvals. */
export const proposalRows = {
  create_proposal: post('/groups/{group_id}/proposals', 'never', 'Create a proposal.', {
    title: need('Title.'),
    description: body('Description.'),
    voting_type: oneOf(
      'body',
      ['yes_no', 'single', 'ranked'],
      'How is voted (yes_no); single and ranked need options.',
    ),
    threshold_type: oneOf('body', ['majority', 'two_thirds', 'unanimous', 'quorum'], 'When it is accepted (majority).'),
    options: body('What is voted on.', 'strings'),
    deadline_hours: body('Hours until voting ends.', 'integer'),
  }),
  list_proposals: get('/groups/{group_id}/proposals', 'Proposals of a group.', {
    status: oneOf('query', ['open', 'finalized'], 'Only proposals in this state.'),
    limit: listLimit('20'),
  }),
  get_proposal: get('/proposals/{proposal_id}', 'One proposal with its votes.'),
  cast_vote: post('/proposals/{proposal_id}/vote', 'never', 'Vote on a proposal; may ask a human for approval first.', {
    vote: need('yes or no; an option; or options in order, comma-separated.'),
    comment: body('Comment.'),
    hil_expiry_seconds: hilExpiry,
  }),
  finalize_proposal: post('/proposals/{proposal_id}/finalize', 'idempotent', 'End the voting and count.', {
    total_eligible_voters: body('How many may vote; left out: the votes cast.', 'integer'),
  }),
  submit_feedback: post('/feedback', 'never', 'Send feedback to the service.', {
    category: { ...oneOf('body', ['bug', 'feature', 'improvement', 'other'], 'What it is about.'), required: true },
    content: { in: 'body', type: 'string', required: true, maxLength: 8192, about: 'The text.' },
    context: body('{tool}: where the feedback comes from.', 'object'),
  }),
  get_my_permissions: get('/api-keys/me/permissions', 'What the key may do.'),
  list_pending_verifications: get('/groups/{group_id}/hil/pending', 'Approvals that wait for a human.', {
    limit: listLimit('50'),
  }),
} as const satisfies Record<string, Operation>
