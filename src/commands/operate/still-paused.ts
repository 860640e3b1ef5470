import { resumeCommand } from '../../control/resume-command.ts'

/** @param route null or undefined: no route alone. */
export function subjectOf(route: string | null | undefined): string {
  return route === undefined || route === null ? 'everything' : `the route ${route}`
}

/** What else is paused in the fleet, and what ends that. */
export function stillPaused(routes: readonly (string | null)[]): string {
  if (routes.length === 0) return ''
  const still = routes.map((route) => `${subjectOf(route)} (\`${resumeCommand(route, true)}\`)`)
  return `; still paused in the fleet: ${still.join(', ')}`
}
