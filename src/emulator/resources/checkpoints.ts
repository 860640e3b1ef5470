import type { HILRequired, Milestone } from '../../clink/records.ts'
import type { Call } from '../call.ts'
import { within } from '../intake/input.ts'
import { Refusal } from '../refusal.ts'
import type { StoredCheckpoint, StoredMilestone } from '../store/tables.ts'
import type { World } from '../world.ts'
import { checkCount, newCheckpoint, readLinks, withConsensus } from './checkpoint-input.ts'
import { dependentsOf, homeOf, readDependencies, refuseCycle, type Home } from './checkpoint-graph.ts'
import { consensus, milestoneRecord } from './milestone-record.ts'
import { changeMilestone, openMilestone, seenMilestone } from './milestones.ts'
import { askHuman } from './verifications.ts'

/** The checkpoint that the request names, in its milestone. */
function checkpointOf({ input }: Call, milestone: StoredMilestone): Home {
  const order = input.integer('order') ?? 0
  const checkpoint = milestone.checkpoints[order - 1]
  if (checkpoint === undefined) throw new Refusal(404, `No checkpoint ${order} in this milestone`)
  return { milestone, checkpoint, order }
}

function replaced({ milestone, checkpoint }: Home, next: StoredCheckpoint): readonly StoredCheckpoint[] {
  return milestone.checkpoints.map((other) => (other.id === checkpoint.id ? next : other))
}

export function addCheckpoint(call: Call): Milestone {
  const milestone = openMilestone(call)
  const { checkpoints, milestone_id, group_id } = milestone
  checkCount(checkpoints.length + 1)
  const position = within(call.input, 'position', {
    min: 1,
    max: checkpoints.length + 1,
    otherwise: checkpoints.length + 1,
  })
  const neighbours = { milestoneId: milestone_id, checkpoints, order: position }
  const checkpoint = withConsensus(call, call.input, newCheckpoint(call, call.input, neighbours), group_id)
  return changeMilestone(call, milestone, { checkpoints: checkpoints.toSpliced(position - 1, 0, checkpoint) })
}

export function updateCheckpoint(call: Call): Milestone {
  const { world, input } = call
  const home = checkpointOf(call, openMilestone(call))
  const { milestone, checkpoint, order } = home
  const title = input.maybeText('title') ?? checkpoint.title
  if (title === '') throw new Refusal(400, '"title" must not be empty')
  const given = input.list('depends_on')
  const neighbours = { milestoneId: milestone.milestone_id, checkpoints: milestone.checkpoints, order }
  const depends_on = given === undefined ? checkpoint.depends_on : readDependencies(call, given, neighbours)
  refuseCycle(world, checkpoint.id, depends_on)
  const description = input.maybeText('description') ?? checkpoint.description
  const next = { ...checkpoint, title, description, depends_on, ...readLinks(input) }
  return changeMilestone(call, milestone, { checkpoints: replaced(home, next) })
}

export function deleteCheckpoint(call: Call): Milestone {
  const { milestone, checkpoint } = checkpointOf(call, openMilestone(call))
  if (checkpoint.completed !== undefined) throw new Refusal(409, 'A completed checkpoint cannot be deleted')
  if (dependentsOf(call.world, checkpoint.id).length > 0) throw new Refusal(409, 'Other checkpoints depend on this one')
  return changeMilestone(call, milestone, {
    checkpoints: milestone.checkpoints.filter(({ id }) => id !== checkpoint.id),
  })
}

export function completeCheckpoint(call: Call): Milestone | HILRequired {
  const { world, caller, now } = call
  const milestone = seenMilestone(call)
  const { checkpoint } = checkpointOf(call, milestone)
  if (checkpoint.completed !== undefined) return milestoneRecord(world, milestone)
  refuseBlocked(world, checkpoint)
  const human = askHuman(call, milestone.group_id, { type: 'checkpoint', checkpoint_id: checkpoint.id })
  return human ?? markCompleted(world, checkpoint.id, { at: now, by: caller.owner.id })
}

/** 409 while something that the checkpoint waits for is not there. */
function refuseBlocked(world: World, checkpoint: StoredCheckpoint): void {
  const waitsFor = checkpoint.depends_on.filter((id) => homeOf(world, id)?.checkpoint.completed === undefined)
  if (waitsFor.length > 0) throw new Refusal(409, 'A checkpoint that this one depends on is pending')
  if (checkpoint.proposal_id !== undefined && consensus(world, checkpoint.proposal_id) !== 'approved') {
    throw new Refusal(409, 'The checkpoint needs an approved proposal')
  }
}

/** Completes a checkpoint, and with the last one its milestone. Also what a human's approval comes to. */
export function markCompleted(world: World, checkpointId: string, mark: { at: number; by: string }): Milestone {
  const home = homeOf(world, checkpointId)
  if (home === undefined) throw new Refusal(409, 'The checkpoint does not exist any more')
  refuseBlocked(world, home.checkpoint)
  const checkpoints = replaced(home, { ...home.checkpoint, completed: mark })
  const all = checkpoints.every(({ completed }) => completed !== undefined)
  const closed = all ? mark.at : undefined
  return changeMilestone({ world, now: mark.at }, home.milestone, { checkpoints, closed })
}
