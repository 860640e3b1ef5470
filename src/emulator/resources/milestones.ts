import type { Milestone } from '../../clink/records.ts'
import { seenGroup } from '../access.ts'
import type { Call } from '../call.ts'
import { within, type Input } from '../intake/input.ts'
import { Refusal } from '../refusal.ts'
import type { StoredCheckpoint, StoredMilestone, StoredProject } from '../store/tables.ts'
import { checkpointInputs, newCheckpoint, withConsensus } from './checkpoint-input.ts'
import { milestoneRecord, milestonesOf } from './milestone-record.ts'

/** The milestone that the request names, if the caller sees its group. */
export function seenMilestone(call: Call): StoredMilestone {
  const id = call.input.text('milestone_id')
  const milestone = call.world.tables.milestones.get(id)
  if (milestone === undefined) throw new Refusal(404, `No milestone ${JSON.stringify(id)}`)
  seenGroup(call, milestone.group_id)
  return milestone
}

/** The same for a change: 409 when it is closed. */
export function openMilestone(call: Call): StoredMilestone {
  const milestone = seenMilestone(call)
  if (milestone.closed !== undefined) throw new Refusal(409, 'The milestone is closed')
  return milestone
}

export function changeMilestone(
  call: Pick<Call, 'world' | 'now'>,
  milestone: StoredMilestone,
  patch: Partial<StoredMilestone>,
): Milestone {
  const next = { ...milestone, ...patch, updated: call.now }
  call.world.tables.milestones.set(milestone.milestone_id, next)
  return milestoneRecord(call.world, next)
}

export function createMilestone(call: Call): Milestone {
  const { world, caller, input, now } = call
  const { group_id } = seenGroup(call, input.text('group_id'))
  const { project_id } = projectFor(call, group_id)
  const given = checkpointInputs(input.list('checkpoints') ?? [])
  const milestone_id = world.ids.next('ms')
  const built: { readonly checkpoint: StoredCheckpoint; readonly fields: Input }[] = []
  for (const [index, fields] of given.entries()) {
    const checkpoints = built.map(({ checkpoint }) => checkpoint)
    built.push({
      fields,
      checkpoint: newCheckpoint(call, fields, { milestoneId: milestone_id, checkpoints, order: index + 1 }),
    })
  }
  const milestone: StoredMilestone = {
    milestone_id,
    group_id,
    project_id,
    title: input.text('title'),
    description: input.maybeText('description') ?? '',
    created: now,
    created_by: caller.owner.id,
    checkpoints: built.map(({ checkpoint, fields }) => withConsensus(call, fields, checkpoint, group_id)),
  }
  world.tables.milestones.set(milestone_id, milestone)
  return milestoneRecord(world, milestone)
}

/** The project that is asked for, or the group's default one. */
function projectFor({ world, input }: Call, groupId: string): StoredProject {
  const id = input.maybeText('project_id')
  const project = [...world.tables.projects.values()].find(
    (stored) => stored.group_id === groupId && (id === undefined ? stored.is_default : stored.project_id === id),
  )
  if (project === undefined)
    throw new Refusal(400, `"project_id" must be a project of the group, not ${JSON.stringify(id)}`)
  if (id !== undefined && project.status !== 'active') throw new Refusal(409, `The project is ${project.status}`)
  return project
}

export function listMilestones(call: Call): { milestones: readonly Milestone[] } {
  const { world, input } = call
  const { group_id } = seenGroup(call, input.text('group_id'))
  const wanted = { status: input.maybeText('status'), limit: within(input, 'limit', { min: 1, otherwise: 20 }) }
  const found = milestonesOf(world, (milestone) => milestone.group_id === group_id, wanted)
  return { milestones: found.map((milestone) => milestoneRecord(world, milestone, { whole: false })) }
}

export function getMilestone(call: Call): Milestone {
  return milestoneRecord(call.world, seenMilestone(call))
}

export function updateMilestone(call: Call): Milestone {
  const milestone = openMilestone(call)
  const title = call.input.maybeText('title') ?? milestone.title
  if (title === '') throw new Refusal(400, '"title" must not be empty')
  return changeMilestone(call, milestone, {
    title,
    description: call.input.maybeText('description') ?? milestone.description,
  })
}

export function reopenMilestone(call: Call): Milestone {
  const milestone = seenMilestone(call)
  if (milestone.closed === undefined) throw new Refusal(409, 'The milestone is open already')
  return changeMilestone(call, milestone, { closed: undefined })
}
