import { wallNow } from '../base/host-time.ts'
import type { Emit } from '../events.ts'
import type { HandlerRegistry } from '../handlers/registry.ts'
import { askedWorker } from './asked-worker.ts'
import type { Daemon } from './daemon.ts'
import type { LogLevel } from './log-level.ts'
import type { OperatorSurface } from './operator-surface.ts'
import type { Reloads } from './reloads.ts'
import type { SeenWorker } from './seen-worker.ts'

/** What operators act on. */
export interface Operated {
  readonly daemon: Daemon
  readonly emit: Emit
  readonly logLevel: LogLevel
  readonly registry: HandlerRegistry
  readonly reloads: Reloads
  /** What is kept for whoever looks. */
  readonly seen: SeenWorker
  readonly surface: Pick<OperatorSurface, 'server'>
}

/** As operators reach it. */
export function asWorker(
  { daemon, emit, logLevel, registry, reloads, seen, surface }: Operated,
  isOnce: boolean,
): ReturnType<typeof askedWorker> {
  return askedWorker(daemon, {
    get routes() {
      return registry.routes
    },
    logLevel,
    isOnce,
    reloads,
    emit,
    wall: wallNow,
    server: () => surface.server,
    seen,
  })
}
