import { asError, EXIT, systemCode } from '../../base/coded-error.ts'
import { humanDuration } from '../../base/duration.ts'
import { textLines } from '../../base/text-lines.ts'
import { tryTo } from '../../base/try-to.ts'
import { noRoute } from '../../control/acts.ts'
import { linkToWorker } from '../../control/client.ts'
import { notedFact } from '../../journal/copies.ts'
import { PAUSES, pausesIn } from '../../ledger/pauses.ts'
import { printable } from '../../observe/printable.ts'
import { loadOptions, readConfig, type StateSettings } from '../terminal/connect.ts'
import { divertOutput } from '../terminal/divert-output.ts'
import type { Io } from '../terminal/io.ts'
import { loadMinded } from '../terminal/load-handlers.ts'
import { exitOf } from '../terminal/problems.ts'
import { hasState, type StatePlace } from '../terminal/reach-state.ts'
import { within } from '../terminal/within.ts'

interface RouteOptions extends StateSettings {
  readonly route?: string
}

/** Milliseconds that handlers may take to load: a pause is not to wait for what hangs. */
const PATIENCE = 10_000

/**
 * Where no worker runs that knows its routes, the handlers are looked at, as the next one would load them. Where that cannot be, the pause counts
 * all the same, with a warning: handlers that are broken are a reason to pause.
 *
 * @throws {CodedError} USAGE where there is no such route. One that is paused can be resumed though it is there no more.
 */
export async function needRoute(
  what: 'pause' | 'resume',
  options: RouteOptions,
  { directory, isMeant = false }: StatePlace,
  io: Io,
): Promise<void> {
  const { route } = options
  if (route === undefined || (await isAnswered(directory))) return
  // Whoever opens the directory says what is wrong with it.
  if (what === 'pause' ? !isMeant && !hasState(directory) : isPaused(route, directory) !== false) return
  const known = await routesOf(options, io)
  if (typeof known === 'string')
    io.problem(printable(`warning: nobody has looked whether there is a route ${JSON.stringify(route)}: ${known}`))
  else if (!known.includes(route)) throw noRoute(route, known)
}

/** Somebody listens, be it that this user may not ask, or that whoever listens stands still. */
async function isAnswered(directory: string): Promise<boolean> {
  const link = await linkToWorker(directory).catch(asError)
  if (link instanceof Error) return ['EACCES', 'EAGAIN'].includes(systemCode(link))
  await link.close()
  return true
}

/** For the worker, or in its fleet as it has seen that last. Undefined: that cannot be read. */
function isPaused(route: string, directory: string): boolean | undefined {
  return tryTo(() =>
    Object.values(PAUSES).some((fact) => pausesIn(notedFact(directory, fact)).some((one) => one.route === route)),
  )
}

/** The names of all routes, or why they are not known, for people. */
async function routesOf(options: RouteOptions, io: Io): Promise<readonly string[] | string> {
  if (options.state !== undefined && options.config === undefined)
    return '--state names no configuration, and --config would'
  const release = divertOutput()
  try {
    const { config, issue } = await readConfig(loadOptions(options, io), io)
    const set = await within(loadMinded({ config, cwd: io.cwd, generation: 1, issue }, io), PATIENCE)
    return set?.routes.map(({ name }) => name) ?? `the handlers have not loaded within ${humanDuration(PATIENCE)}`
  } catch (thrown) {
    const error = asError(thrown)
    if (exitOf(error) === EXIT.internal) throw error
    return textLines(error.message).join('; ')
  } finally {
    release()
  }
}
