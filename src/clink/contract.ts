/**
 * The Clink API as data: one row an operation. The client builds requests from these rows, the emulator routes by them, and
 * `clink-worker api --help` prints them. Rows say what goes over the wire and nothing about behaviour.
 */

/**
 * What a repeated request means when the answer to the first did not arrive.
 *
 * - `safe`: a read; ask again.
 * - `idempotent`: has the same effect twice; ask again.
 * - `session`: idempotent for one session at best; only the caller can know whether to ask again.
 * - `never`: repeating may do it twice; the caller is told that it may have happened.
 */
export type Repeat = 'safe' | 'idempotent' | 'session' | 'never'

/** `object` and `list` are given as JSON on the command line, `strings` also comma-separated. */
export type ParameterType = 'string' | 'integer' | 'boolean' | 'strings' | 'object' | 'list'

export interface Parameter {
  readonly in: 'path' | 'query' | 'body'
  readonly type: ParameterType
  readonly required?: true
  /** What the service takes where the parameter is left out, for people. */
  readonly default?: string
  /** The values that the service knows, where it knows a closed list. */
  readonly values?: readonly string[]
  /** Largest length of a text in characters. */
  readonly maxLength?: number
  readonly about: string
}

export interface Operation {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** `{name}` is replaced by the percent-encoded path parameter of that name. */
  readonly path: string
  readonly parameters: Readonly<Record<string, Parameter>>
  readonly repeat: Repeat
  /** A query parameter that turns this read into one that must never be asked again by itself. */
  readonly writesWhen?: string
  /** False: the request carries no body at all, not even `{}`. */
  readonly body?: false
  readonly about: string
}

const id = (what: string): Parameter => ({ in: 'path', type: 'string', required: true, about: `Id of the ${what}.` })
const order: Parameter = { in: 'path', type: 'integer', required: true, about: 'Position of the checkpoint, from 1.' }
const query = (about: string, type: ParameterType = 'string', fallback?: string): Parameter =>
  fallback === undefined ? { in: 'query', type, about } : { in: 'query', type, about, default: fallback }
const body = (about: string, type: ParameterType = 'string'): Parameter => ({ in: 'body', type, about })
const need = (about: string, type: ParameterType = 'string'): Parameter => ({ in: 'body', type, about, required: true })
const oneOf = (where: 'query' | 'body', values: readonly string[], about: string): Parameter => ({
  in: where,
  type: 'string',
  values,
  about,
})
const listLimit = (fallback: string) => query('How many at most.', 'integer', fallback)
const hilExpiry = body('Seconds that a human approver has, 60 to 172800 (300).', 'integer')

const checkpointLinks = {
  git_branch_url: body('Web address of the branch.'),
  git_pr_url: body('Web address of the pull request.'),
  git_commit_url: body('Web address of the commit.'),
} as const
const dependsOn = body(
  'Checkpoints that must be completed first: orders of this milestone, or "ms_x:4" for another.',
  'list',
)
const milestoneStatus = oneOf('query', ['active', 'closed'], 'Only milestones in this state.')

const rows = {
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
  create_milestone: {
    method: 'POST',
    path: '/groups/{group_id}/milestones',
    parameters: {
      group_id: id('group'),
      title: need('Title.'),
      checkpoints: need('1 to 50 of {title, description?, requires_consensus?, depends_on?, git_…_url?}.', 'list'),
      description: body('Description.'),
      project_id: body("Project; left out: the group's default project."),
    },
    repeat: 'never',
    about: 'Create a milestone with its checkpoints.',
  },
  list_milestones: {
    method: 'GET',
    path: '/groups/{group_id}/milestones',
    parameters: { group_id: id('group'), status: milestoneStatus, limit: listLimit('20') },
    repeat: 'safe',
    about: 'Milestones of a group.',
  },
  get_milestone: {
    method: 'GET',
    path: '/milestones/{milestone_id}',
    parameters: { milestone_id: id('milestone') },
    repeat: 'safe',
    about: 'One milestone with its checkpoints.',
  },
  update_milestone: {
    method: 'PATCH',
    path: '/milestones/{milestone_id}',
    parameters: { milestone_id: id('milestone'), title: body('Title.'), description: body('Description.') },
    repeat: 'idempotent',
    about: 'Change a milestone that is not closed.',
  },
  add_checkpoint: {
    method: 'POST',
    path: '/milestones/{milestone_id}/checkpoints',
    parameters: {
      milestone_id: id('milestone'),
      title: need('Title.'),
      description: body('Description.'),
      requires_consensus: body('A proposal must approve it.', 'boolean'),
      depends_on: dependsOn,
      ...checkpointLinks,
      position: body('Order of the new checkpoint, from 1; left out: at the end.', 'integer'),
    },
    repeat: 'never',
    about: 'Add a checkpoint to a milestone.',
  },
  update_checkpoint: {
    method: 'PATCH',
    path: '/milestones/{milestone_id}/checkpoints/{order}',
    parameters: {
      milestone_id: id('milestone'),
      order,
      title: body('Title.'),
      description: body('Description.'),
      depends_on: dependsOn,
      ...checkpointLinks,
    },
    repeat: 'idempotent',
    about: 'Change a checkpoint.',
  },
  delete_checkpoint: {
    method: 'DELETE',
    path: '/milestones/{milestone_id}/checkpoints/{order}',
    parameters: { milestone_id: id('milestone'), order },
    repeat: 'never',
    body: false,
    about: 'Delete a checkpoint that is not completed and that no other depends on.',
  },
  complete_checkpoint: {
    method: 'POST',
    path: '/milestones/{milestone_id}/checkpoints/{order}/complete',
    parameters: { milestone_id: id('milestone'), order, hil_expiry_seconds: hilExpiry },
    repeat: 'idempotent',
    about: 'Complete a checkpoint; may ask a human for approval first.',
  },
  reopen_milestone: {
    method: 'POST',
    path: '/milestones/{milestone_id}/reopen',
    parameters: { milestone_id: id('milestone') },
    repeat: 'idempotent',
    about: 'Open a closed milestone again.',
  },
  create_project: {
    method: 'POST',
    path: '/groups/{group_id}/projects',
    parameters: {
      group_id: id('group'),
      title: need('Title.'),
      description: body('Description.'),
      slug: body('Slug; left out: made from the title.'),
      color: body('#RRGGBB.'),
    },
    repeat: 'never',
    about: 'Create a project.',
  },
  list_projects: {
    method: 'GET',
    path: '/groups/{group_id}/projects',
    parameters: {
      group_id: id('group'),
      status: oneOf('query', ['active', 'completed', 'archived'], 'Only projects in this state.'),
      limit: listLimit('50'),
    },
    repeat: 'safe',
    about: 'Projects of a group.',
  },
  get_project: {
    method: 'GET',
    path: '/projects/{project_id}',
    parameters: { project_id: id('project') },
    repeat: 'safe',
    about: 'One project.',
  },
  update_project: {
    method: 'PATCH',
    path: '/projects/{project_id}',
    parameters: {
      project_id: id('project'),
      title: body('Title.'),
      description: body('Description.'),
      slug: body('Slug.'),
      color: body('#RRGGBB.'),
    },
    repeat: 'idempotent',
    about: 'Change a project.',
  },
  complete_project: {
    method: 'POST',
    path: '/projects/{project_id}/complete',
    parameters: { project_id: id('project') },
    repeat: 'idempotent',
    about: 'Complete a project.',
  },
  archive_project: {
    method: 'POST',
    path: '/projects/{project_id}/archive',
    parameters: { project_id: id('project') },
    repeat: 'idempotent',
    about: 'Archive a project.',
  },
  reopen_project: {
    method: 'POST',
    path: '/projects/{project_id}/reopen',
    parameters: { project_id: id('project') },
    repeat: 'idempotent',
    about: 'Open a completed or archived project again.',
  },
  list_project_milestones: {
    method: 'GET',
    path: '/projects/{project_id}/milestones',
    parameters: { project_id: id('project'), status: milestoneStatus, limit: listLimit('20') },
    repeat: 'safe',
    about: 'Milestones of a project.',
  },
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

export type OperationName = keyof typeof rows

/** Every operation of the API by its name. */
export const operations: Readonly<Record<OperationName, Operation>> = rows

/** Names of all operations, in the order of the API's documentation. */
export const operationNames: readonly OperationName[] = Object.keys(rows).filter(isOperationName)

function isOperationName(name: string): name is OperationName {
  return Object.hasOwn(rows, name)
}
