import { configSchema } from '../config/schema.ts'
import type { Config } from '../config/config.ts'
import type { Emit } from '../events.ts'
import { healthPages } from '../server/health-pages.ts'
import { OperatorServer } from '../server/operator-server.ts'
import type { Daemon } from './daemon.ts'

export interface ServerParts {
  readonly config: Config
  readonly daemon: Pick<Daemon, 'settledLiveness' | 'readiness'>
  readonly emit: Emit
  readonly redact: (text: string) => string
}

/** Undefined: the configuration wants none. */
export function makeServer({ config: { server }, daemon, emit, redact }: ServerParts): OperatorServer | undefined {
  if (!server.enabled) return undefined
  const standard = configSchema.shape.server.parse(undefined)
  return new OperatorServer({
    settings: { ...server, isChosen: server.host !== standard.host || server.port !== standard.port },
    pages: healthPages(daemon),
    redact,
    listening: (url) => emit({ event: 'server.listening', url }),
    unavailable: (problem, again) => emit({ event: 'server.unavailable', problem, again, advice: ADVICE }),
  })
}

const ADVICE =
  'the worker works without it meanwhile; where several workers are to run on this machine, give each its own server.port, or switch the server off'
