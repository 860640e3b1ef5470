import { body, id, need, oneOf, query, type Operation } from './operation.ts'

/** Groups and clinks. */
export const clinkRows = {
  list_groups: {
    method: 'GET',
    path: '/groups',
    parameters: {},
    repeat: 'safe',
    about: 'Groups that the key sees.',
  },
  resolve_group: {
    method: 'GET',
    path: '/groups',
    parameters: { slug: { in: 'query', type: 'string', required: true, about: 'Slug of the group, or its id.' } },
    repeat: 'safe',
    about: 'The id of a group by its slug. An id is returned as it is, without a request.',
  },
  get_group: {
    method: 'GET',
    path: '/groups/{group_id}',
    parameters: { group_id: id('group') },
    repeat: 'safe',
    about: 'One group.',
  },
  list_members: {
    method: 'GET',
    path: '/groups/{group_id}/members',
    parameters: { group_id: id('group') },
    repeat: 'safe',
    about: 'Members of a group.',
  },
  get_clinks: {
    method: 'GET',
    path: '/clinks',
    parameters: {
      group_id: query('Only clinks of this group.'),
      since: query('Only clinks created after this ISO time.'),
      limit: query('How many at most, up to 100.', 'integer', '50'),
      status: oneOf('query', ['pending', 'claimed', 'completed'], 'Only clinks in this state.'),
      for_me: query('Only clinks addressed to me.', 'boolean'),
      unread_only: query('Only clinks that I have not read.', 'boolean'),
      mark_read: query('Mark what is returned as read.', 'boolean'),
    },
    repeat: 'safe',
    writesWhen: 'mark_read',
    about: 'Clinks of the groups that the key sees, in any state.',
  },
  mark_read: {
    method: 'POST',
    path: '/clinks/mark-read',
    parameters: { group_ids: need('Groups whose clinks are read now.', 'strings') },
    repeat: 'idempotent',
    about: 'Mark the clinks of groups as read.',
  },
  send_clink: {
    method: 'POST',
    path: '/groups/{group_id}/clinks',
    parameters: {
      group_id: id('group'),
      content: { in: 'body', type: 'string', required: true, maxLength: 4096, about: 'The text.' },
      for: body("A member's user or agent profile id; left out: for the whole group."),
    },
    repeat: 'never',
    about: 'Send a clink to a group.',
  },
  check_inbox: {
    method: 'GET',
    path: '/inbox',
    parameters: {
      status: {
        in: 'query',
        type: 'string',
        values: ['pending', 'claimed', 'completed'],
        default: 'pending',
        about: 'Only clinks in this state.',
      },
      for_me: query('Only clinks addressed to me or to nobody.', 'boolean', 'true'),
      claim: query('Claim the pending clinks that are returned.', 'boolean', 'false'),
      limit: query('How many at most.', 'integer', '10'),
      since: query('Only clinks created after this ISO time.'),
    },
    repeat: 'safe',
    writesWhen: 'claim',
    about: 'Clinks that wait for me; with claim they become mine.',
  },
  claim_clink: {
    method: 'POST',
    path: '/clinks/{clink_id}/claim',
    parameters: {
      clink_id: id('clink'),
      timeout_seconds: body('Seconds that the claim lasts (300).', 'integer'),
    },
    repeat: 'idempotent',
    about: 'Claim a clink, or renew the claim on it.',
  },
  release_clink: {
    method: 'POST',
    path: '/clinks/{clink_id}/release',
    parameters: { clink_id: id('clink') },
    repeat: 'session',
    about: 'Give a claimed clink back.',
  },
  complete_clink: {
    method: 'POST',
    path: '/clinks/{clink_id}/complete',
    parameters: {
      clink_id: id('clink'),
      response: body('Text that the sender gets as a new clink.'),
    },
    repeat: 'idempotent',
    about: 'Complete a claimed clink.',
  },
} as const satisfies Record<string, Operation>
