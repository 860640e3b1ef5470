import type { Checkpoint, Milestone } from '../../clink/records.ts'
import type { StoredCheckpoint, StoredMilestone } from '../store/tables.ts'
import { stamp, type World } from '../world.ts'
import { homeOf } from './checkpoint-graph.ts'

/** A milestone as it goes over the wire; `whole`: with its checkpoints. */
export function milestoneRecord(world: World, milestone: StoredMilestone, { whole = true } = {}): Milestone {
  const { checkpoints, closed, updated } = milestone
  const done = checkpoints.filter(({ completed }) => completed !== undefined).length
  const percent = checkpoints.length === 0 ? 0 : Math.round((100 * done) / checkpoints.length)
  return {
    milestone_id: milestone.milestone_id,
    group_id: milestone.group_id,
    project_id: milestone.project_id,
    title: milestone.title,
    description: milestone.description,
    status: closed === undefined ? 'active' : 'closed',
    created_by: milestone.created_by,
    created_at: stamp(world, milestone.created),
    updated_at: updated === undefined ? undefined : stamp(world, updated),
    closed_at: closed === undefined ? undefined : stamp(world, closed),
    total_checkpoints: checkpoints.length,
    completed_checkpoints: done,
    progress: `${done}/${checkpoints.length} (${percent}%)`,
    checkpoints: whole
      ? checkpoints.map((checkpoint, index) => record(world, milestone, checkpoint, index + 1))
      : undefined,
  }
}

function record(world: World, milestone: StoredMilestone, checkpoint: StoredCheckpoint, order: number): Checkpoint {
  const { completed, proposal_id, depends_on } = checkpoint
  return {
    order,
    title: checkpoint.title,
    description: checkpoint.description,
    status: completed === undefined ? 'pending' : 'completed',
    completed_by: completed?.by,
    completed_at: completed === undefined ? undefined : stamp(world, completed.at),
    requires_proposal_id: proposal_id,
    proposal_status: proposal_id === undefined ? undefined : consensus(world, proposal_id),
    depends_on: depends_on.length === 0 ? undefined : depends_on.flatMap((id) => dependency(world, milestone, id)),
    git_branch_url: checkpoint.git_branch_url,
    git_pr_url: checkpoint.git_pr_url,
    git_commit_url: checkpoint.git_commit_url,
  }
}

/** `approved` unblocks a checkpoint. */
export function consensus(world: World, proposalId: string): 'open' | 'approved' | 'rejected' {
  const finalized = world.tables.proposals.get(proposalId)?.finalized
  if (finalized === undefined) return 'open'
  return finalized.met ? 'approved' : 'rejected'
}

/** A number within the milestone, `"ms_x:4"` outside of it. */
function dependency(world: World, milestone: StoredMilestone, id: string): readonly (number | string)[] {
  const home = homeOf(world, id)
  if (home === undefined) return []
  const { milestone_id } = home.milestone
  return [milestone_id === milestone.milestone_id ? home.order : `${milestone_id}:${home.order}`]
}

/** The newest milestones first. */
export function milestonesOf(
  world: World,
  belongs: (milestone: StoredMilestone) => boolean,
  wanted: { readonly status: string | undefined; readonly limit: number },
): readonly StoredMilestone[] {
  const found = [...world.tables.milestones.values()].filter((milestone) => {
    const status = milestone.closed === undefined ? 'active' : 'closed'
    return belongs(milestone) && (wanted.status === undefined || wanted.status === status)
  })
  return found.toReversed().slice(0, wanted.limit)
}
