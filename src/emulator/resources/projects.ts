import type { Milestone, Project } from '../../clink/records.ts'
import { seenGroup } from '../access.ts'
import type { Call } from '../call.ts'
import { within } from '../intake/input.ts'
import { Refusal } from '../refusal.ts'
import type { Mark, StoredProject } from '../store/tables.ts'
import { stamp, type World } from '../world.ts'
import { milestoneRecord, milestonesOf } from './milestone-record.ts'
import { createProject as add } from './project-store.ts'

function projectRecord(world: World, project: StoredProject): Project {
  const at = (mark: Mark | undefined): string | undefined => (mark === undefined ? undefined : stamp(world, mark.at))
  const { completed, archived, reopened, updated } = project
  return {
    project_id: project.project_id,
    group_id: project.group_id,
    title: project.title,
    description: project.description,
    slug: project.slug,
    color: project.color,
    status: project.status,
    is_default: project.is_default,
    created_at: stamp(world, project.created),
    created_by: project.created_by,
    updated_at: updated === undefined ? undefined : stamp(world, updated),
    completed_at: at(completed),
    completed_by: completed?.by,
    archived_at: at(archived),
    archived_by: archived?.by,
    reopened_at: at(reopened),
    reopened_by: reopened?.by,
  }
}

/** The project that the request names, if the caller sees its group. */
function seenProject(call: Call): StoredProject {
  const id = call.input.text('project_id')
  const project = call.world.tables.projects.get(id)
  if (project === undefined) throw new Refusal(404, `No project ${JSON.stringify(id)}`)
  seenGroup(call, project.group_id)
  return project
}

function projectsOf(world: World, groupId: string): readonly StoredProject[] {
  return [...world.tables.projects.values()].filter((project) => project.group_id === groupId)
}

function checkSlug(world: World, groupId: string, slug: string, self?: StoredProject): string {
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(slug)) {
    const message = `"slug" must be lower case letters, digits and hyphens, not ${JSON.stringify(slug)}`
    throw new Refusal(400, message)
  }
  if (projectsOf(world, groupId).some((project) => project.slug === slug && project !== self)) {
    throw new Refusal(409, `The slug "${slug}" is taken in this group`, { code: 'slug_taken' })
  }
  return slug
}

function checkColor(color: string | undefined): void {
  if (color !== undefined && !/^#[0-9a-f]{6}$/i.test(color)) {
    throw new Refusal(400, `"color" must be like #3B82F6, not ${JSON.stringify(color)}`)
  }
}

/** A free slug that says what the title says. */
function slugFrom(world: World, groupId: string, title: string): string {
  const plain = title.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase()
  const base = plain.replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-|-$/g, '') || 'project'
  const taken = new Set(projectsOf(world, groupId).map(({ slug }) => slug))
  let slug = base
  for (let n = 2; taken.has(slug); n += 1) slug = `${base}-${n}`
  return slug
}

export function createProject(call: Call): Project {
  const { world, caller, input, now } = call
  const { group_id } = seenGroup(call, input.text('group_id'))
  const title = input.text('title')
  const asked = input.maybeText('slug')
  const color = input.maybeText('color')
  checkColor(color)
  const slug = asked === undefined ? slugFrom(world, group_id, title) : checkSlug(world, group_id, asked)
  const description = input.maybeText('description') ?? ''
  const colored = color === undefined ? {} : { color }
  const project = add(world, now, { group_id, title, slug, description, created_by: caller.owner.id, ...colored })
  return projectRecord(world, project)
}

export function listProjects(call: Call): { projects: readonly Project[] } {
  const { world, input } = call
  const { group_id } = seenGroup(call, input.text('group_id'))
  const status = input.maybeText('status')
  const limit = within(input, 'limit', { min: 1, otherwise: 50 })
  const found = projectsOf(world, group_id).filter((project) => status === undefined || project.status === status)
  return {
    projects: found
      .toReversed()
      .slice(0, limit)
      .map((project) => projectRecord(world, project)),
  }
}

export function getProject(call: Call): Project {
  return projectRecord(call.world, seenProject(call))
}

function change(call: Call, project: StoredProject, patch: Partial<StoredProject>): Project {
  const next = { ...project, ...patch, updated: call.now }
  call.world.tables.projects.set(project.project_id, next)
  return projectRecord(call.world, next)
}

export function updateProject(call: Call): Project {
  const { world, input } = call
  const project = seenProject(call)
  const slug = input.maybeText('slug')
  const color = input.maybeText('color')
  checkColor(color)
  const title = input.maybeText('title')
  if (title === '') throw new Refusal(400, '"title" must not be empty')
  return change(call, project, {
    title: title ?? project.title,
    description: input.maybeText('description') ?? project.description,
    color: color ?? project.color,
    slug: slug === undefined ? project.slug : checkSlug(world, project.group_id, slug, project),
  })
}

const mark = ({ caller, now }: Call): Mark => ({ at: now, by: caller.owner.id })

export function completeProject(call: Call): Project {
  const project = seenProject(call)
  if (project.status !== 'active') throw new Refusal(409, `The project is ${project.status} already`)
  return change(call, project, { status: 'completed', completed: mark(call) })
}

export function archiveProject(call: Call): Project {
  const project = seenProject(call)
  if (project.is_default) throw new Refusal(409, 'The default project of a group cannot be archived')
  if (project.status === 'archived') throw new Refusal(409, 'The project is archived already')
  return change(call, project, { status: 'archived', archived: mark(call) })
}

export function reopenProject(call: Call): Project {
  const project = seenProject(call)
  if (project.status === 'active') throw new Refusal(409, 'The project is active already')
  return change(call, project, {
    status: 'active',
    completed: undefined,
    archived: undefined,
    reopened: mark(call),
  })
}

export function listProjectMilestones(call: Call): { milestones: readonly Milestone[] } {
  const { world, input } = call
  const { project_id } = seenProject(call)
  const wanted = { status: input.maybeText('status'), limit: within(input, 'limit', { min: 1, otherwise: 20 }) }
  const found = milestonesOf(world, (milestone) => milestone.project_id === project_id, wanted)
  return { milestones: found.map((milestone) => milestoneRecord(world, milestone, { whole: false })) }
}
