import type { Logger } from 'pino'
import { sleep, systemClock } from '../base/clock.ts'
import { asError, EXIT, type ExitCode } from '../base/coded-error.ts'
import type { Service } from '../base/service.ts'
import type { Config } from '../config/config.ts'
import { Daemon, type DaemonParts } from './daemon.ts'
import type { Emit } from '../events.ts'
import { HandlerRegistry, type HandlerSet } from '../handlers/registry.ts'
import { HandlerWatch } from '../handlers/watch.ts'
import { ControlSocket } from '../control/server.ts'
import type { StandardOutput } from '../host/standard-output.ts'
import type { WorkerProcess } from '../host/worker-process.ts'
import type { State } from '../journal/state.ts'
import { logEvents } from '../observe/events.ts'
import { fanOut } from '../observe/fan-out.ts'
import { loggable } from '../observe/fields.ts'
import { redactor } from '../observe/redact.ts'
import { ClinkLogs } from '../clink-logs/clink-logs.ts'
import { logsOf } from '../clink-logs/segments.ts'
import type { Asked } from '../control/asked.ts'
import { requestsByHttp } from '../control/by-http.ts'
import { answer } from '../control/requests.ts'
import { followSettings } from './follow-settings.ts'
import { beMember } from './member.ts'
import { asWorker } from './operated.ts'
import { outputFacts } from './output-facts.ts'
import { reloadConfig, watchKey, type ReadAgain } from './read-again.ts'
import { Reloads } from './reloads.ts'
import { seenWorker } from './seen-worker.ts'
import type { OperatorSurface } from './operator-surface.ts'
import { leaveState, takeState } from './take-state.ts'
import { openWatchers } from './watchers.ts'
import { supervise, type Supervision } from './supervision.ts'

export interface WorkParts extends ReadAgain {
  readonly host: WorkerProcess
  readonly handlers: HandlerSet
  readonly logger: Logger
  readonly cwd: string
  /** Where the service manager of the system says how it is reached. */
  readonly env: NodeJS.ProcessEnv
  readonly output: StandardOutput
  readonly once?: DaemonParts['once'] | undefined
  readonly ending?: DaemonParts['ending'] | undefined
  /** Remembers over restarts, in the state directory, which is this process's alone meanwhile. */
  readonly durable?: true
  /** Where there is no handler file, a built-in echo stands in. */
  readonly echoWhenEmpty?: true
  /** Routes that are tried before the handlers', and never change. */
  readonly first?: HandlerSet | undefined
  /** It stops as soon as the worker begins to. */
  readonly beside?: Pick<Service, 'stop'> | undefined
  /** Told of every fact beside the log. */
  readonly listen?: Emit
}

/** Milliseconds that the end waits for parts which only have to let go: nobody needs their work any more. */
const LEAVING = 400
const RENEWED =
  'the socket by which commands reach this worker was taken away and is made anew: keep cleaners away from state.directory'
const UNHEARD =
  'the service manager does not hear the worker, and will end it where the unit has a WatchdogSec (NotifyAccess=all is needed without node-unix-socket)'
/** The most clinks that one message names. */
const NAMED = 50

/** Runs a daemon in this process until it has ended. */
export async function work(parts: WorkParts): Promise<ExitCode> {
  const { host, config, ending, key, logger, once } = parts
  const shown = { content: config.log.content, cwd: parts.cwd, output: parts.output }
  const { notes, surface, traces, watched } = await openWatchers(config, once !== undefined, parts.listen)
  const listeners = [logEvents(logger, shown), ...notes]
  const emit = tellAll(listeners, logger)
  const registry = new HandlerRegistry(parts.handlers, parts.first)
  sayWarnings(logger, parts.handlers)
  const state = parts.durable === true ? await takeState(parts, emit) : undefined
  const tasks = state === undefined ? {} : { directory: config.state.directory, isOurs: () => state.isStillOurs() }
  const daemon = new Daemon({ config, key, router: registry, emit, once, ending, state, tasks, ...watched })
  daemon.masked.on((value) => void parts.secrets.add(value))
  beMember(state?.fleet, daemon)
  const clinkLogs = state && keepLogs(parts, daemon, emit)
  if (clinkLogs !== undefined) listeners.push(clinkLogs.note)
  const reloads = new Reloads(emit)
  const watch = new HandlerWatch({
    settings: daemon.settings,
    cwd: parts.cwd,
    echoWhenEmpty: parts.echoWhenEmpty ?? false,
    first: parts.handlers,
    loaded: (set, next) => use(set, next, { registry, daemon, reloads, logger }),
    failed: (error) => reloads.handlersFailed(error, registry.current.generation),
  })
  const logLevel = followSettings(daemon.settings, logger, shown)
  const configReload = reloadConfig(parts, watch, reloads)
  const keyWatch = watchKey(parts, daemon, reloads)
  const supervision = superviseBy(parts, daemon, listeners)
  reloads.begin(supervision, () => [(configReload ?? watch).reload(), keyWatch?.reload()])
  let exit: ExitCode | undefined
  host.attach({
    daemon,
    reload: () => void reloads.reload(),
    report: () => report(logger, daemon),
    exited: (part, error) => emit({ event: 'worker.failed', part, error }),
    cutShort: (why) => exit ?? cutShort(why, state, emit),
    files: () => registry.current.files.keys(),
  })
  daemon.stopping.on((timeout) => {
    host.stopping(timeout, inHand(state))
    supervision?.stopping(timeout)
    void parts.beside?.stop()
  })
  const seen = seenWorker(surface.overview, config.state.directory, clinkLogs)
  const worker = asWorker({ registry, daemon, logLevel, reloads, emit, seen, surface }, once !== undefined)
  const asked = { ledger: daemon.ledger, fleet: state?.fleet, away: () => state?.fleet?.problem, worker }
  await begin(daemon, show(surface, asked, daemon, emit, parts), () => abandon(host, state))
  parts.output.attach(outputFacts(logger, () => void daemon.stop('nobody reads the log', EXIT.failed)))
  keyWatch?.start()
  if (config.handlers.watch) for (const one of [watch, configReload]) void one?.start()
  const control = state && listen(state, asked, parts)
  void readyWhen(control, supervision)
  exit = await daemon.ended
  host.left()
  await traces?.stop()
  const socket = control?.then(async (one) => await one.stop())
  await leave([watch, configReload, keyWatch, surface, supervision], clinkLogs?.close(), socket)
  await leaveState(state)
  return exit
}

function tellAll(listeners: readonly Emit[], logger: Logger): Emit {
  return fanOut(listeners, (error, event) =>
    logger.error({ event: 'event.unheard', of: event, error: loggable(error, { stacks: true }) }),
  )
}

/** Commands reach it from then on. */
async function readyWhen(control: Promise<unknown> | undefined, supervision: Supervision | undefined): Promise<void> {
  supervision?.start()
  await control
  supervision?.ready()
}

/** Ends what only has to let go, and does not wait long for it. */
async function leave(
  services: readonly (Pick<Service, 'stop'> | undefined)[],
  ...others: readonly (Promise<void> | undefined)[]
): Promise<void> {
  const all = [...services.map(async (one) => await one?.stop()), ...others.filter((one) => one !== undefined)]
  await Promise.race([Promise.allSettled(all), sleep(systemClock(), LEAVING)])
}

/** The server listens before anything is claimed: where it must and cannot, there is no worker. */
async function begin(daemon: Daemon, listening: Promise<void>, abandon: () => void): Promise<void> {
  try {
    await listening
  } catch (error) {
    abandon()
    throw error
  }
  // It may have been told to meanwhile.
  if (!daemon.isStopping) daemon.start()
}

function abandon(host: WorkerProcess, state: State | undefined): void {
  host.left()
  state?.close()
}

/** From now on: these handlers, and the configuration by which they were loaded where that is another one. */
function use(
  set: HandlerSet,
  next: Config | undefined,
  {
    daemon,
    logger,
    registry,
    reloads,
  }: { daemon: Daemon; logger: Logger; registry: HandlerRegistry; reloads: Reloads },
): void {
  if (next !== undefined) reloads.configUsed(daemon.change(next))
  registry.replace(set)
  daemon.rerouted()
  sayWarnings(logger, set)
  reloads.handlersLoaded(
    set.generation,
    set.routes.map(({ file }) => file),
  )
}

function superviseBy({ env, logger, secrets }: WorkParts, daemon: Daemon, listeners: Emit[]): Supervision | undefined {
  const trouble = (problem: string | undefined): void => sayUnheard(logger, problem)
  const supervision = supervise(env, { daemon, redact: redactor(secrets), trouble })
  if (supervision !== undefined) listeners.push((event) => supervision.note(event))
  return supervision
}

function sayUnheard(logger: Logger, problem: string | undefined): void {
  if (problem === undefined)
    logger.info({ event: 'manager.heard', message: 'the service manager hears the worker again' })
  else logger.warn({ event: 'manager.unheard', message: `${UNHEARD}: ${problem}` })
}

function sayWarnings(logger: Logger, { warnings }: HandlerSet): void {
  for (const message of warnings) logger.warn({ event: 'config.warning', message })
}

/** People ask for this by a signal, so the line appears at every `log.level`. */
function report(logger: Logger, daemon: Daemon): void {
  const { alive, reasons } = daemon.liveness()
  const readiness = daemon.readiness()
  const status = { ready: readiness.ready, alive, reasons: [...reasons, ...readiness.reasons] }
  logger
    .child({}, { level: 'info' })
    .info({ event: 'worker.status', ...status, ...daemon.snapshot(), ...daemon.totals() })
}

function cutShort(why: string, state: State | undefined, emit: Emit): ExitCode {
  const error = new Error(`the worker is cut short: ${why}. ${inHand(state)}`)
  emit({ event: 'worker.failed', part: 'stop', error })
  return EXIT.internal
}

/** For people: the claims that may be left behind. */
function inHand(state: State | undefined): string {
  const process = state?.ledger.process
  const ids = process === undefined ? [] : [...process.claims(), ...process.parked()].map(({ clink }) => clink.clink_id)
  const named = ids.slice(0, NAMED).join(', ')
  const more = ids.length > NAMED ? ` and ${ids.length - NAMED} more` : ''
  return ids.length === 0 ? 'No claim is held' : `Claims that it may leave behind: ${named}${more}`
}

function keepLogs({ config, secrets }: WorkParts, { settings }: Daemon, emit: Emit): ClinkLogs {
  return new ClinkLogs({ directory: logsOf(config.state.directory), settings, redact: redactor(secrets), emit })
}

/** By HTTP it can be asked what it can be asked over its socket. @throws {CodedError} where it must listen and cannot. */
async function show(
  surface: OperatorSurface,
  asked: Asked,
  daemon: Daemon,
  emit: Emit,
  { secrets }: WorkParts,
): Promise<void> {
  const requests = requestsByHttp(asked, () => daemon.settings.current.log.content)
  const secret = (text: string): void => void secrets.add(text)
  await surface.listen({ daemon, emit, redact: redactor(secrets), secret, requests })
}

/** A worker that no command can reach is better than none. */
async function listen(state: State, asked: Asked, { config, logger }: WorkParts): Promise<ControlSocket> {
  const control = new ControlSocket({
    directory: config.state.directory,
    answer: async (request) => await answer(request, asked),
    isOurs: () => state.isStillOurs(),
    renewed: (error) => {
      if (error === undefined) logger.warn({ event: 'control.renewed', message: RENEWED })
      else unavailable(error)
    },
  })
  const unavailable = (error: unknown): void =>
    logger.warn({ event: 'control.unavailable', message: asError(error).message })
  await control.start().catch(unavailable)
  return control
}
