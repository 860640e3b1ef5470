import { CodedError, EXIT } from '../../base/coded-error.ts'
import { humanDuration } from '../../base/duration.ts'
import { toldOfFleet } from '../../control/fleet.ts'
import type { FleetView } from '../../ledger/fleet.ts'
import { painter } from '../../observe/colour.ts'
import { printable } from '../../observe/printable.ts'
import { pausedRoute } from '../../control/pause-text.ts'
import { resumeCommand } from '../../control/resume-command.ts'
import { fleetOf } from '../terminal/fleet-of.ts'
import type { Io } from '../terminal/io.ts'
import { table } from '../terminal/table.ts'
import { within } from '../terminal/within.ts'
import type { StatusOptions } from './status.ts'
import { timeoutOf } from './timeout.ts'

/** The workers that remember together, whether one of them runs here or not. */
export async function showFleet(options: StatusOptions, io: Io): Promise<void> {
  if (options.watch === true || options.audit === true || options.state !== undefined)
    throw new CodedError('USAGE', '--fleet asks the shared store: without --watch, --audit and --state')
  const { fleet, url } = await fleetOf(options, io)
  const store = await import('../../fleet/open.ts')
  // Without a limit the store says itself when it does not answer.
  const limit = timeoutOf(options) ?? Infinity
  const found = await within(store.membersOf(url, fleet), limit)
  if (found === undefined) throw new CodedError('UNANSWERED', `no answer for ${humanDuration(limit)}: the shared store`)
  io.out(options.json === true ? `${JSON.stringify(toldOfFleet(found))}\n` : fleetText(found, io))
  io.finish(found.members.some(({ isSilent }) => !isSilent) ? EXIT.ok : EXIT.failed)
}

function fleetText(view: FleetView, io: Pick<Io, 'color'>): string {
  const { fleet, members, place } = view
  const paint = painter(io.color)
  const head = `fleet ${printable(fleet)} · ${printable(place)}\n${toldOfFleet(view)
    .pauses.map((pause) => pauseText(pause, paint))
    .join('')}`
  if (members.length === 0) return `${head}no member was there within the last day\n`
  const names = ['NAME', 'PID', 'VERSION', 'STATE', 'IN HAND', 'SLOTS', 'SEEN', 'ROUTES'].map((name) =>
    paint('dim', name),
  )
  const rows = members.map((member) => {
    const cells = cellsOf(member)
    return member.isSilent ? cells.map((cell) => paint('dim', cell)) : cells
  })
  const reasons = members.flatMap(({ isSilent, name, signs }) => {
    const why = isSilent || signs?.isReady !== false ? undefined : signs.reasons[0]
    return why === undefined ? [] : `${paint('yellow', printable(`${name}: ${why}`))}\n`
  })
  return [head, '\n', table([names, ...rows]), ...(reasons.length > 0 ? ['\n', ...reasons] : [])].join('')
}

type ToldPause = ReturnType<typeof toldOfFleet>['pauses'][number]

function pauseText(pause: ToldPause, paint: ReturnType<typeof painter>): string {
  const { by, hasRoute, left, note, route } = pause
  const what = route === null ? 'everything is paused in the fleet' : pausedRoute({ route, isFleet: true, hasRoute })
  const until = left === null ? '' : `, ${humanDuration(left)} left`
  const text = `${what} (by ${by}${until}${note === null ? '' : `: ${note}`})`
  const command = resumeCommand(route, true)
  return `${paint('yellow', printable(text))}\n${paint('yellow', printable(`  → ${command}`))}\n`
}

function cellsOf({ age, isSilent, name, signs, version }: FleetView['members'][number]): string[] {
  const state = isSilent ? 'silent' : signs === null ? '?' : signs.isReady ? 'ready' : 'not ready'
  const routes = signs?.routes.map(
    ({ name: route, waits }) => `${route}${waits.length > 0 ? ` (${waits.join(', ')})` : ''}`,
  )
  return [
    printable(name),
    String(signs?.pid ?? '-'),
    printable(version),
    state,
    String(signs?.inHand ?? '-'),
    signs === null ? '-' : `${signs.taken} of ${signs.slots}`,
    `${humanDuration(Math.max(0, Math.round(age)))} ago`,
    printable(routes?.join(', ') ?? '-'),
  ]
}
