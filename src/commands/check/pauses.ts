import { systemBoot } from '../../base/boot.ts'
import { wallNow } from '../../base/host-time.ts'
import { tryTo } from '../../base/try-to.ts'
import type { Config } from '../../config/config.ts'
import { sharedStore } from '../../config/shared-store.ts'
import { keptPause, pausedRoute } from '../../control/pause-text.ts'
import { resumeCommand } from '../../control/resume-command.ts'
import { notedFact } from '../../journal/copies.ts'
import { isKnownAbsent } from '../../ledger/fleet.ts'
import { leftOf, PAUSES, pausesIn } from '../../ledger/pauses.ts'
import type { Io } from '../terminal/io.ts'
import { attempt, isFinding, warning, type Finding } from './finding.ts'

/** Pauses that the state directory keeps for routes that are not there: they hold back nothing. @param routes their names. */
export function pauseFindings(directory: string, routes: readonly string[]): readonly Finding[] {
  const [boot, wall] = [systemBoot(), wallNow()]
  return pausesIn(tryTo(() => notedFact(directory, PAUSES.own)))
    .filter((pause) => (leftOf(pause, boot, wall) ?? Infinity) > 0)
    .flatMap(({ by, route }) =>
      route === undefined || routes.includes(route)
        ? []
        : warning('pauses', `${keptPause(route)} (by ${by})`, adviceOn(route, false)),
    )
}

/** The same of its fleet, where no worker that is there has the route either. A store that does not answer has a finding of its own. */
export async function* fleetPauseFindings(
  config: Config,
  routes: readonly string[],
  { env }: Io,
): AsyncGenerator<Finding> {
  const found = await attempt('pauses', async () => {
    const place = await sharedStore(config, env)
    if (place === undefined) return { members: [], pauses: [] }
    return await (await import('../../fleet/open.ts')).membersOf(place.url, place.fleet)
  })
  if (isFinding(found)) return
  for (const { by, route } of found.pauses) {
    if (route === undefined || routes.includes(route) || !isKnownAbsent(route, found.members)) continue
    const text = pausedRoute({ route, isFleet: true, hasRoute: false })
    yield warning('pauses', `${text} (by ${by})`, adviceOn(route, true))
  }
}

function adviceOn(route: string, isFleet: boolean): string {
  return `${resumeCommand(route, isFleet)} ends it; a route that was renamed has to be paused by its new name`
}
