import { body, get, hilExpiry, listLimit, need, oneOf, patch, post, remove, type Operation } from './operation.ts'

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
  create_milestone: post('/groups/{group_id}/milestones', 'never', 'Create a milestone with its checkpoints.', {
    title: need('Title.'),
    checkpoints: need('1 to 50 of {title, description?, requires_consensus?, depends_on?, git_…_url?}.', 'list'),
    description: body('Description.'),
    project_id: body("Project; left out: the group's default project."),
  }),
  list_milestones: get('/groups/{group_id}/milestones', 'Milestones of a group.', {
    status: milestoneStatus,
    limit: listLimit('20'),
  }),
  get_milestone: get('/milestones/{milestone_id}', 'One milestone with its checkpoints.'),
  update_milestone: patch('/milestones/{milestone_id}', 'Change a milestone that is not closed.', {
    title: body('Title.'),
    description: body('Description.'),
  }),
  add_checkpoint: post('/milestones/{milestone_id}/checkpoints', 'never', 'Add a checkpoint to a milestone.', {
    title: need('Title.'),
    description: body('Description.'),
    requires_consensus: body('A proposal must approve it.', 'boolean'),
    depends_on: dependsOn,
    ...checkpointLinks,
    position: body('Order of the new checkpoint, from 1; left out: at the end.', 'integer'),
  }),
  update_checkpoint: patch('/milestones/{milestone_id}/checkpoints/{order}', 'Change a checkpoint.', {
    title: body('Title.'),
    description: body('Description.'),
    depends_on: dependsOn,
    ...checkpointLinks,
  }),
  delete_checkpoint: remove(
    '/milestones/{milestone_id}/checkpoints/{order}',
    'Delete a checkpoint that is not completed and that no other depends on.',
  ),
  complete_checkpoint: post(
    '/milestones/{milestone_id}/checkpoints/{order}/complete',
    'idempotent',
    'Complete a checkpoint; may ask a human for approval first.',
    { hil_expiry_seconds: hilExpiry },
  ),
  reopen_milestone: post('/milestones/{milestone_id}/reopen', 'idempotent', 'Open a closed milestone again.'),
  create_project: post('/groups/{group_id}/projects', 'never', 'Create a project.', {
    title: need('Title.'),
    description: body('Description.'),
    slug: body('Slug; left out: made from the title.'),
    color: body('#RRGGBB.'),
  }),
  list_projects: get('/groups/{group_id}/projects', 'Projects of a group.', {
    status: oneOf('query', ['active', 'completed', 'archived'], 'Only projects in this state.'),
    limit: listLimit('50'),
  }),
  get_project: get('/projects/{project_id}', 'One project.'),
  update_project: patch('/projects/{project_id}', 'Change a project.', {
    title: body('Title.'),
    description: body('Description.'),
    slug: body('Slug.'),
    color: body('#RRGGBB.'),
  }),
  complete_project: post('/projects/{project_id}/complete', 'idempotent', 'Complete a project.'),
  archive_project: post('/projects/{project_id}/archive', 'idempotent', 'Archive a project.'),
  reopen_project: post('/projects/{project_id}/reopen', 'idempotent', 'Open a completed or archived project again.'),
  list_project_milestones: get('/projects/{project_id}/milestones', 'Milestones of a project.', {
    status: milestoneStatus,
    limit: listLimit('20'),
  }),
} as const satisfies Record<string, Operation>
