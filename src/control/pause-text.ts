import { humanDuration } from '../base/duration.ts'
import type { Status } from './status.ts'

type RoutePause = Pick<Status['pauses'][number], 'by' | 'isFleet' | 'left' | 'note' | 'route'>

/** Who wants a route paused, for how long still, and why: for people. */
export function pauseText(pause: RoutePause): string {
  const { by, left, note } = pause
  const until = left === null ? '' : `, ${humanDuration(left)} left`
  return `${pausedRoute(pause)} (by ${by}${until}${note === null ? '' : `: ${note}`})`
}

export function pausedRoute({ isFleet, route }: Pick<RoutePause, 'isFleet' | 'route'>): string {
  return `the route ${route} is paused${isFleet ? ' in the fleet' : ''}`
}
