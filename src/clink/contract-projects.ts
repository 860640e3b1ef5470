import { body, hilExpiry, id, listLimit, need, oneOf, order, type Operation } from './operation.ts'

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

/** Milestones, their checkpoints, and projects. */
export const projectRows = {
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
} as const satisfies Record<string, Operation>
