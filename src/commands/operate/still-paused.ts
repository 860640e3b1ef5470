import { resumeCommand } from '../../control/resume-command.ts'

/** What else is paused in the fleet, and what ends that. */
export function stillPaused(routes: readonly (string | null)[]): string {
  if (routes.length === 0) return ''
  const still = routes.map((route) => {
    return `${route === null ? 'everything' : `the route ${route}`} (\`${resumeCommand(route, true)}\`)`
  })
  return `; still paused in the fleet: ${still.join(', ')}`
}
