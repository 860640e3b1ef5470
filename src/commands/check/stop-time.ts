import { existsSync, readFileSync } from 'node:fs'
import { humanDuration } from '../../base/duration.ts'
import { tryTo } from '../../base/try-to.ts'
import type { Io } from '../terminal/io.ts'
import { placeOf, type Place } from '../service/place.ts'
import { systemctl, type Scope } from '../service/systemctl.ts'
import { literal } from '../service/unit.ts'
import { ok, unknown, warning, type Finding } from './finding.ts'

/** What ends a worker that does not end by itself, and after how many milliseconds. */
export type Host =
  /** `listens`: it waits longer when the worker asks it to. */
  | {
      readonly is: 'systemd'
      readonly unit: string
      readonly scope: Scope
      readonly waits: number
      readonly listens: boolean
    }
  | { readonly is: 'kubernetes' | 'container' | 'nobody' }

/** Where a pod or a container says nothing else. */
const USUAL = { kubernetes: 30_000, container: 10_000 } as const
/** A stop ends this much later than `shutdown.timeout`, at most. */
const MARGIN = 5_000

/** Whether a stop comes to its end before the host kills the process. @param timeout `shutdown.timeout`. */
export function stopFinding(timeout: number, host: Host): Finding {
  const own = `a stop takes ${humanDuration(timeout)} at most (shutdown.timeout)`
  if (host.is === 'nobody') return ok('stop', `${own}; nothing on this machine says that it would be killed before`)
  if (host.is === 'systemd') {
    const { listens, scope, unit, waits } = host
    const text = `${own}; systemd kills ${unit} after ${waits === Infinity ? 'no time' : humanDuration(waits)}`
    if (listens) return ok('stop', `${text}, and later while the worker drains`)
    if (waits >= timeout + MARGIN) return ok('stop', text)
    const edit = `systemctl${scope === 'user' ? ' --user' : ''} edit ${unit}`
    return warning(
      'stop',
      text,
      `${edit}: TimeoutStopSec=${seconds(timeout)} below [Service]; claims are left behind otherwise`,
    )
  }
  const usual = USUAL[host.is]
  const [kills, setting] =
    host.is === 'kubernetes'
      ? ['Kubernetes kills it', `terminationGracePeriodSeconds: ${seconds(timeout)} or more, with what preStop takes`]
      : [
          'Docker kills a container',
          `--stop-timeout ${seconds(timeout)}, in a compose file stop_grace_period: ${seconds(timeout)}s`,
        ]
  const text = `${own}; ${kills} after ${humanDuration(usual)} unless told otherwise, which cannot be seen from inside`
  return usual >= timeout + MARGIN ? ok('stop', text) : unknown('stop', text, `see that it is told: ${setting}`)
}

function seconds(timeout: number): number {
  return Math.ceil((timeout + MARGIN) / 1_000)
}

/** Under what a worker with this configuration would run. @param file of the configuration; null: there is none. */
export function hostOf(file: string | null, io: Io): Host {
  if ((io.env['KUBERNETES_SERVICE_HOST'] ?? '') !== '') return { is: 'kubernetes' }
  for (const place of placesFor(file, io)) {
    const { scope, unit } = place
    const shown = tryTo(() => systemctl(scope, 'show', unit, '--property=TimeoutStopUSec', '--property=Type'))
    const waits = timeOf(/^TimeoutStopUSec=(.*)$/m.exec(shown ?? '')?.[1])
    if (waits !== undefined) return { is: 'systemd', unit, scope, waits, listens: /^Type=notify/m.test(shown ?? '') }
  }
  return { is: existsSync('/.dockerenv') || existsSync('/run/.containerenv') ? 'container' : 'nobody' }
}

/** The services that there are for this configuration. */
function placesFor(file: string | null, io: Io): readonly Place[] {
  if (file === null) return []
  const named = (place: Place): boolean =>
    tryTo(() => readFileSync(place.file, 'utf8'))?.includes(literal(file)) === true
  const own = [placeOf(undefined, {}, io), placeOf(undefined, { user: true }, io)].filter(named)
  const name = INSTANCE.exec(file)?.[1]
  const instance = name === undefined ? undefined : tryTo(() => placeOf(name, {}, io))
  return instance !== undefined && existsSync(instance.file) ? [...own, instance] : own
}

/** Where the configuration of one of several services lies. */
const INSTANCE = /^\/etc\/clink-worker\/([^/]+)\/config\.yaml$/

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, min: 60_000, s: 1_000, ms: 1 }

/** As systemd shows a span of time: `1min 30s`. */
function timeOf(text: string | undefined): number | undefined {
  if (text === 'infinity') return Infinity
  const parts = [...(text ?? '').matchAll(/([\d.]+)(h|min|s|ms)(?= |$)/g)]
  if (parts.length === 0) return undefined
  return parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (UNITS[unit] ?? 0), 0)
}
