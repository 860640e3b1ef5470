import { body, hilExpiry, id, listLimit, need, oneOf, type Operation } from './operation.ts'

/** Proposals, feedback, permissions and approvals. */
export const proposalRows = {
  create_proposal: {
    method: 'POST',
    path: '/groups/{group_id}/proposals',
    parameters: {
      group_id: id('group'),
      title: need('Title.'),
      description: body('Description.'),
      voting_type: oneOf(
        'body',
        ['yes_no', 'single', 'ranked'],
        'How is voted (yes_no); single and ranked need options.',
      ),
      threshold_type: oneOf(
        'body',
        ['majority', 'two_thirds', 'unanimous', 'quorum'],
        'When it is accepted (majority).',
      ),
      options: body('What is voted on.', 'strings'),
      deadline_hours: body('Hours until voting ends.', 'integer'),
    },
    repeat: 'never',
    about: 'Create a proposal.',
  },
  list_proposals: {
    method: 'GET',
    path: '/groups/{group_id}/proposals',
    parameters: {
      group_id: id('group'),
      status: oneOf('query', ['open', 'finalized'], 'Only proposals in this state.'),
      limit: listLimit('20'),
    },
    repeat: 'safe',
    about: 'Proposals of a group.',
  },
  get_proposal: {
    method: 'GET',
    path: '/proposals/{proposal_id}',
    parameters: { proposal_id: id('proposal') },
    repeat: 'safe',
    about: 'One proposal with its votes.',
  },
  cast_vote: {
    method: 'POST',
    path: '/proposals/{proposal_id}/vote',
    parameters: {
      proposal_id: id('proposal'),
      vote: need('yes or no; an option; or options in order, comma-separated.'),
      comment: body('Comment.'),
      hil_expiry_seconds: hilExpiry,
    },
    repeat: 'never',
    about: 'Vote on a proposal; may ask a human for approval first.',
  },
  finalize_proposal: {
    method: 'POST',
    path: '/proposals/{proposal_id}/finalize',
    parameters: {
      proposal_id: id('proposal'),
      total_eligible_voters: body('How many may vote; left out: the votes cast.', 'integer'),
    },
    repeat: 'idempotent',
    about: 'End the voting and count.',
  },
  submit_feedback: {
    method: 'POST',
    path: '/feedback',
    parameters: {
      category: {
        in: 'body',
        type: 'string',
        required: true,
        values: ['bug', 'feature', 'improvement', 'other'],
        about: 'What it is about.',
      },
      content: { in: 'body', type: 'string', required: true, maxLength: 8192, about: 'The text.' },
      context: body('{tool}: where the feedback comes from.', 'object'),
    },
    repeat: 'never',
    about: 'Send feedback to the service.',
  },
  get_my_permissions: {
    method: 'GET',
    path: '/api-keys/me/permissions',
    parameters: {},
    repeat: 'safe',
    about: 'What the key may do.',
  },
  list_pending_verifications: {
    method: 'GET',
    path: '/groups/{group_id}/hil/pending',
    parameters: { group_id: id('group'), limit: listLimit('50') },
    repeat: 'safe',
    about: 'Approvals that wait for a human.',
  },
} as const satisfies Record<string, Operation>
