import { humanDuration } from '../base/duration.ts'
import type { Status } from './status.ts'

type RoutePause = Pick<Status['pauses'][number], 'by' | 'hasRoute' | 'isFleet' | 'left' | 'note' | 'route'>

/** Who wants a route paused, for how long still, and why: for people. */
export function pauseText(pause: RoutePause): string {
  const { by, left, note } = pause
  const until = left === null ? '' : `, ${humanDuration(left)} left`
  return `${pausedRoute(pause)} (by ${by}${until}${note === null ? '' : `: ${note}`})`
}

export function pausedRoute({ hasRoute, isFleet, route }: Pick<RoutePause, 'hasRoute' | 'isFleet' | 'route'>): string {
  if (isFleet) return `the route ${route}${hasRoute ? '' : ', which is not there,'} is paused in the fleet`
  return hasRoute ? `the route ${route} is paused` : keptPause(route)
}

/** Of a route that was renamed or taken away: nothing is held back by it. */
export function keptPause(route: string | null): string {
  return `a pause is kept for the route ${route}, which is not there`
}
