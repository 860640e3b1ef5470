import type { Signal } from '../base/signal.ts'
import type { MemberSigns } from '../ledger/fleet.ts'
import type { Daemon } from './daemon.ts'

interface Joined {
  /** Clinks whose dead letters another member has had run again. */
  readonly gone: Signal<[clinkId: string]>
  /** Another member is gone, and has made no claim longer for so many milliseconds. */
  readonly departed: Signal<[ago: number]>
  signs: () => MemberSigns | undefined
}

/** What the worker has to do with the other members of its fleet. */
export function beMember(fleet: Joined | undefined, daemon: Daemon): void {
  if (fleet === undefined) return
  fleet.gone.on((id) => daemon.retried(id))
  fleet.departed.on((ago) => daemon.worker.departed(ago))
  fleet.signs = () => signsOf(daemon)
}

/** What it says of itself. */
function signsOf(daemon: Daemon): MemberSigns {
  const { deliveries, draining, pauses, routes, slots } = daemon.worker.report()
  const { ready, reasons } = daemon.readiness()
  return {
    pid: process.pid,
    isReady: ready,
    reasons,
    inHand: deliveries.length,
    taken: slots.taken,
    slots: slots.total,
    routes: routes.flatMap(({ isGone, name, waits }) => {
      if (isGone) return []
      const paused = pauses.filter(({ route }) => route === null || route === name)
      const isOwn = draining !== null || paused.some(({ isFleet }) => !isFleet)
      const others = waits.filter((why) => why !== 'operator' || isOwn)
      return { name, waits: paused.some(({ isFleet }) => isFleet) ? [...others, 'fleet'] : others }
    }),
  }
}
