import type { StoredProject } from '../store/tables.ts'
import type { World } from '../world.ts'

const COLOR = '#3B82F6'

type Draft = Pick<StoredProject, 'group_id' | 'title' | 'slug'> &
  Partial<Pick<StoredProject, 'description' | 'color' | 'is_default' | 'created_by'>>

/** Adds a project whose slug is known to be free. */
export function createProject(world: World, now: number, draft: Draft): StoredProject {
  const project: StoredProject = {
    project_id: world.ids.next('proj'),
    description: '',
    color: COLOR,
    is_default: false,
    ...draft,
    status: 'active',
    created: now,
  }
  world.tables.projects.set(project.project_id, project)
  return project
}
