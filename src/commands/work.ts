import type { Logger } from 'pino'
import { asError, type ExitCode } from '../base/coded-error.ts'
import type { Secret } from '../base/secret.ts'
import type { Config } from '../config/config.ts'
import { KeyWatch } from '../config/key-watch.ts'
import { Daemon, type DaemonParts } from '../daemon.ts'
import type { Emit, WorkerEvent } from '../events.ts'
import { HandlerRegistry, type HandlerSet } from '../handlers/registry.ts'
import { watchHandlers } from '../handlers/watch.ts'
import { ControlSocket } from '../host/control-socket.ts'
import type { WorkerProcess } from '../host/worker-process.ts'
import { openState, type State } from '../journal/state.ts'
import { logEvents } from '../observe/events.ts'
import { answerFailed } from './failed-requests.ts'
import { answerHealth } from './health-requests.ts'

export interface WorkParts {
  readonly host: WorkerProcess
  readonly config: Config
  readonly key: Secret
  readonly handlers: HandlerSet
  /** Told each text that was read as a key, before anything is said about it. */
  readonly keySeen?: (key: Secret) => void
  readonly logger: Logger
  readonly cwd: string
  /** Aborts when the log has lost its reader. */
  readonly nobodyReads: AbortSignal
  readonly once?: DaemonParts['once']
  /** Remembers over restarts, in the state directory, which is this process's alone meanwhile. */
  readonly durable?: true
  /** Where there is no handler file, a built-in echo stands in. */
  readonly echoWhenEmpty?: true
  /** Routes that are tried before the handlers', and never change. */
  readonly first?: HandlerSet
  /** Told of every fact beside the log. */
  readonly listen?: Emit
  /** What HUP means: load the handlers again, or, in a terminal, that the terminal is gone. */
  readonly hangUp: 'reload' | 'stop'
}

/** Runs a daemon in this process until it has ended. */
export async function work(parts: WorkParts): Promise<ExitCode> {
  const { host, config, key, logger, nobodyReads, once, first } = parts
  const log = logEvents(logger, { content: config.log.content })
  const emit: Emit = (event) => {
    log(event)
    parts.listen?.(event)
  }
  const registry = new HandlerRegistry(parts.handlers)
  const router: DaemonParts['router'] = {
    get routes() {
      return [...(first?.routes ?? []), ...registry.routes]
    },
    get takesAll() {
      return (first?.takesAll ?? false) || registry.takesAll
    },
    route: (clink, identity) => first?.route(clink, identity) ?? registry.route(clink, identity),
    describe: () => registry.describe(),
  }
  const state =
    parts.durable === true ? openState({ ...config.state, onHealth: (problem) => emit(health(problem)) }) : undefined
  const daemon = new Daemon({
    config,
    key,
    router,
    emit,
    ...(once === undefined ? {} : { once }),
    ...(state === undefined ? {} : { state }),
  })
  const watch = watchHandlers({
    config,
    cwd: parts.cwd,
    echoWhenEmpty: parts.echoWhenEmpty ?? false,
    first: parts.handlers,
    loaded: (set) => {
      registry.replace(set)
      emit({ event: 'handlers.loaded', generation: set.generation, files: set.routes.map(({ file }) => file) })
    },
    failed: (error) => emit({ event: 'handlers.failed', error, kept: registry.current.generation }),
  })
  const keyWatch = watchKey(parts, daemon, emit)
  host.attach({
    daemon,
    hangUp: () => {
      if (parts.hangUp === 'stop') return void daemon.stop('the terminal is gone')
      void watch.reload()
      void keyWatch?.reload()
    },
    report: () => logger.info({ event: 'worker.status', ...daemon.snapshot(), ...daemon.totals() }),
    exited: (part, error) => emit({ event: 'worker.failed', part, error }),
    files: () => registry.current.files,
  })
  nobodyReads.addEventListener('abort', () => void daemon.stop('nobody reads the log'))
  daemon.start()
  keyWatch?.start()
  if (config.handlers.watch) void watch.start()
  const control = state === undefined ? undefined : await listen(state, daemon, parts)
  const exit = await daemon.ended
  host.left()
  await Promise.all([watch.stop(), keyWatch?.stop()])
  await control?.stop()
  state?.close()
  return exit
}

function health(problem: string | undefined): WorkerEvent {
  return problem === undefined ? { event: 'journal.recovered' } : { event: 'journal.failed', problem }
}

/** A key that comes from a file is read again when that changes. */
function watchKey({ config, key, keySeen }: WorkParts, daemon: Daemon, emit: Emit): KeyWatch | undefined {
  const file = config.clink.key === null ? config.clink.keyFile : null
  if (file === null) return undefined
  return new KeyWatch({
    file,
    first: key,
    changed: (next) => {
      keySeen?.(next)
      daemon.changeKey(next, file)
    },
    unusable: (problem) => emit({ event: 'key.unusable', problem }),
  })
}

/** A worker that no command can reach is better than none. */
async function listen(state: State, daemon: Daemon, { config, logger }: WorkParts): Promise<ControlSocket> {
  const letters = { ledger: state.ledger, retried: (id: string): void => daemon.retried(id) }
  const control = new ControlSocket({
    directory: config.state.directory,
    answer: async (request) => (await answerHealth(request, daemon)) ?? (await answerFailed(request, letters)),
  })
  await control.start().catch((error: unknown) => {
    logger.warn({ event: 'control.unavailable', message: asError(error).message })
  })
  return control
}
