import { CodedError } from '../../base/coded-error.ts'
import { cutText, LONGEST } from '../../base/cut-text.ts'
import { humanDuration } from '../../base/duration.ts'
import { printable } from '../../observe/printable.ts'
import { wishOf, type NoteOptions } from '../terminal/caller.ts'
import type { Io } from '../terminal/io.ts'
import type { SettingsOptions } from '../terminal/settings.ts'
import { fleetOf } from '../terminal/fleet-of.ts'
import { lastsOf } from './lasts.ts'
import { stillPaused, subjectOf } from './still-paused.ts'

interface FleetOptions extends SettingsOptions, NoteOptions {
  readonly state?: string
  readonly route?: string
  readonly for?: string
  readonly json?: true
}

/** Seconds within which each worker has seen it, while the store answers. */
const SEEN = 5

/** Pauses all workers of a fleet, or has them go on, whether one of them runs here or not. */
export async function operateFleet(what: 'pause' | 'resume', options: FleetOptions, io: Io): Promise<void> {
  if (options.state !== undefined) throw new CodedError('USAGE', '--fleet asks the shared store: without --state')
  const { route } = options
  const lasts = lastsOf(options)
  const { fleet, url } = await fleetOf(options, io)
  const wish = wishOf(options, io)
  const of = { by: wish.by, ...(wish.note !== undefined && { note: cutText(wish.note, LONGEST.note) }) }
  const about = route === undefined ? 'the fleet' : `the route ${route} of the fleet`
  const until = lasts === undefined ? 'until it is resumed' : `for ${humanDuration(lasts)}`
  const { changePauses } = await import('../../fleet/open.ts')
  const outcome = lasts === undefined ? {} : { outcome: until }
  const pause = { ...(route !== undefined && { route }), ...of, ...(lasts !== undefined && { for: lasts }) }
  const act = { act: what, ...of, about, ...outcome }
  const { routes, was } = await changePauses(url, fleet, what === 'pause' ? { pause, act } : { route, act })
  if (options.json === true) return io.out(`${JSON.stringify({ fleet, routes, ...(what === 'resume' && { was }) })}\n`)
  const subject = subjectOf(route)
  const text =
    what === 'pause'
      ? `paused in the fleet ${fleet}: ${subject}, ${until}; each of its workers sees it within ${SEEN} s`
      : `${was ? `resumed in the fleet ${fleet}: ${subject}` : `nothing to resume in the fleet ${fleet}`}${stillPaused(routes)}`
  io.out(`${printable(text)}\n`)
}
