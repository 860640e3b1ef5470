import { sleep, systemClock } from '../base/clock.ts'
import { asError } from '../base/coded-error.ts'
import { packageVersion } from '../clink/version.ts'
import type { Emit } from '../events.ts'
import type { Wish } from '../worker/capacity/pauses.ts'
import type { Worker } from '../worker/worker.ts'
import type { Daemon } from './daemon.ts'
import type { Reloads } from './reloads.ts'
import type { SeenWorker } from './seen-worker.ts'

/** What the daemon itself does not have. */
export interface Around {
  /** As of now. */
  readonly routes: readonly { readonly name: string }[]
  readonly logLevel: { set(level: string, lasts: number | undefined): void }
  readonly isOnce: boolean
  /** Reads configuration, handlers and key file again. */
  readonly reloads: Pick<Reloads, 'failed' | 'reload'>
  readonly emit: Emit
  /** Wall time in milliseconds. */
  wall(): number
  /** Where the HTTP server listens, or why it does not; null: there is none. */
  server(): { readonly url: string | null; readonly problem: string | null } | null
  /** What is kept for whoever looks. */
  readonly seen: SeenWorker
}

/** Milliseconds that whoever asks for the status waits for a look at the inbox. */
const PATIENCE = 1_000

/** What an operator did. */
interface Acted {
  readonly act: string
  readonly by: string
  readonly about?: string
  readonly note?: string
  readonly outcome?: string
}

/** The worker that runs, as operators reach it. */
export function askedWorker(daemon: Daemon, around: Around) {
  const { worker } = daemon
  const startedAt = around.wall()
  const version = packageVersion()
  return {
    ...around.seen,
    loops: () => worker.loops,
    inbox: () => inboxOf(worker.inbox),
    settledLiveness: async () => await daemon.settledLiveness(),
    readiness: () => daemon.readiness(),
    get routes() {
      return around.routes.map(({ name }) => name)
    },
    report: () => {
      const { inHand: _, ...report } = worker.report()
      const { doubts: _doubts, paused: _paused, probing: _probing, starved: _starved, ...counts } = worker.snapshot()
      return {
        ...report,
        worker: {
          version,
          pid: process.pid,
          session: daemon.session,
          url: daemon.settings.current.clink.url,
          startedAt,
          uptime: Math.max(0, around.wall() - startedAt),
          isOnce: around.isOnce,
        },
        server: around.server(),
        hasLog: around.seen.hasLog,
        reload: around.reloads.failed,
        counts,
        isStopping: worker.isStopping,
        isDrained: worker.drain.isDone,
        readiness: daemon.readiness(),
        liveness: daemon.liveness(),
        totals: daemon.totals(),
      }
    },
    lookAtInbox: async () => {
      await Promise.race([worker.lookAtInbox(), sleep(systemClock(), PATIENCE)])
    },
    retried: (id: string) => daemon.retried(id),
    acted: (act: Acted) => around.emit({ event: 'operator.acted', ...act }),
    pause: async (wish: Wish, lasts: number | undefined) => await worker.pauses.pause(wish, lasts),
    resume: async (route: string | undefined) => {
      if (route === undefined) worker.drain.end()
      return await worker.pauses.resume(route)
    },
    drain: (wish: Wish) => {
      worker.drain.begin(wish).catch((error: unknown) => daemon.fail('drain', asError(error)))
    },
    drained: () => worker.drain.state,
    stop: (reason: string) => void daemon.stop(reason),
    stopped: () =>
      daemon.isStopping ? daemon.ended.then((exit) => ({ exit, leftBehind: daemon.leftBehind })) : undefined,
    cancel: (id: string, to: 'release' | 'reject', reason: string) => worker.cancel(id, to, reason),
    reload: async () => await around.reloads.reload(),
    logLevel: (level: string, lasts: number | undefined) => around.logLevel.set(level, lasts),
  }
}

/** Without what the clinks say. */
function inboxOf(list: Worker['inbox']) {
  if (list === undefined) return undefined
  const { malformed: _, oldest, waiting, ...rest } = list
  const rows = waiting.map(({ clink, route, why }) => ({
    id: clink.clink_id,
    group: clink.group_slug ?? clink.group_id,
    sender: clink.sender_id,
    for: clink.for ?? null,
    sent: clink.created_at,
    route,
    why,
  }))
  return { ...rest, oldest: oldest ?? null, rows }
}
