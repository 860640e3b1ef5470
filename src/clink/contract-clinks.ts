import { body, get, need, oneOf, post, query, type Operation } from './operation.ts'

const states = oneOf('query', ['pending', 'claimed', 'completed'], 'Only clinks in this state.')

/** Groups and clinks. */
export const clinkRows = {
  list_groups: get('/groups', 'Groups that the key sees.'),
  resolve_group: get('/groups', 'The id of a group by its slug. An id is returned as it is, without a request.', {
    slug: { in: 'query', type: 'string', required: true, about: 'Slug of the group, or its id.' },
  }),
  get_group: get('/groups/{group_id}', 'One group.'),
  list_members: get('/groups/{group_id}/members', 'Members of a group.'),
  get_clinks: {
    ...get('/clinks', 'Clinks of the groups that the key sees, in any state.', {
      group_id: query('Only clinks of this group.'),
      since: query('Only clinks created after this ISO time.'),
      limit: query('How many at most, up to 100.', 'integer', '50'),
      status: states,
      for_me: query('Only clinks addressed to me.', 'boolean'),
      unread_only: query('Only clinks that I have not read.', 'boolean'),
      mark_read: query('Mark what is returned as read.', 'boolean'),
    }),
    writesWhen: 'mark_read',
  },
  mark_read: post('/clinks/mark-read', 'idempotent', 'Mark the clinks of groups as read.', {
    group_ids: need('Groups whose clinks are read now.', 'strings'),
  }),
  send_clink: post('/groups/{group_id}/clinks', 'never', 'Send a clink to a group.', {
    content: { in: 'body', type: 'string', required: true, maxLength: 4096, about: 'The text.' },
    for: body("A member's user or agent profile id; left out: for the whole group."),
  }),
  check_inbox: {
    ...get('/inbox', 'Clinks that wait for me; with claim they become mine.', {
      status: { ...states, default: 'pending' },
      for_me: query('Only clinks addressed to me or to nobody.', 'boolean', 'true'),
      claim: query('Claim the pending clinks that are returned.', 'boolean', 'false'),
      limit: query('How many at most.', 'integer', '10'),
      since: query('Only clinks created after this ISO time.'),
    }),
    writesWhen: 'claim',
  },
  claim_clink: post('/clinks/{clink_id}/claim', 'idempotent', 'Claim a clink, or renew the claim on it.', {
    timeout_seconds: body('Seconds that the claim lasts (300).', 'integer'),
  }),
  release_clink: post('/clinks/{clink_id}/release', 'session', 'Give a claimed clink back.'),
  complete_clink: post('/clinks/{clink_id}/complete', 'idempotent', 'Complete a claimed clink.', {
    response: body('Text that the sender gets as a new clink.'),
  }),
} as const satisfies Record<string, Operation>
