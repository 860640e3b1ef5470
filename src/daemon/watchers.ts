import type { Config } from '../config/config.ts'
import type { Emit } from '../events.ts'
import { openTraces, type Traces } from '../traces/traces.ts'
import type { DaemonParts } from './daemon.ts'
import { OperatorSurface } from './operator-surface.ts'

/** Who sees what a worker does, beside its logs. */
interface Watchers {
  readonly surface: OperatorSurface
  readonly traces: Traces | undefined
  /** Told of every fact. */
  readonly notes: readonly Emit[]
  /** What a daemon needs for it. */
  readonly watched: Pick<DaemonParts, 'watch' | 'around'>
}

/** @param listen somebody else to be told. */
export async function openWatchers(config: Config, isOnce: boolean, listen: Emit | undefined): Promise<Watchers> {
  const surface = new OperatorSurface(config, isOnce)
  const traces = await openTraces(config.clink.url)
  const notes = [listen, ...surface.notes, traces?.note].filter((one) => one !== undefined)
  return { surface, traces, notes, watched: { watch: both(surface.request, traces?.request), around: traces?.around } }
}

type Watch = DaemonParts['watch']

function both(one: Watch, other: Watch): Watch {
  if (one === undefined || other === undefined) return one ?? other
  return (...answered) => {
    one(...answered)
    other(...answered)
  }
}
