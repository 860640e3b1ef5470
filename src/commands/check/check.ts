import { CodedError, EXIT, type ExitCode } from '../../base/coded-error.ts'
import { inAddress, isLoopbackName } from '../../base/host-names.ts'
import { formatIssue } from '../../config/issue.ts'
import type { LoadedConfig } from '../../config/load.ts'
import { serverToken } from '../../config/server-token.ts'
import { controlPath } from '../../control/server.ts'
import type { HandlerSet } from '../../handlers/handler-set.ts'
import { probeState } from '../../journal/probe.ts'
import { redactor } from '../../observe/redact.ts'
import { taskSocketPath } from '../../runners/task-socket.ts'
import { loadOptions, readConfig, readKey, wellFormed } from '../terminal/connect.ts'
import { checkClink } from './clink.ts'
import { attempt, isFinding, ok, warning, type Finding } from './finding.ts'
import { fleetPauseFindings, pauseFindings } from './pauses.ts'
import { storeFinding } from './store.ts'
import { findingText, summary } from './report.ts'
import { divertOutput } from '../terminal/divert-output.ts'
import type { Io } from '../terminal/io.ts'
import { loadMinded } from '../terminal/load-handlers.ts'
import type { SettingsOptions } from '../terminal/settings.ts'
import { table } from '../terminal/table.ts'

export interface CheckOptions extends SettingsOptions {
  readonly online?: true
  readonly json?: true
  readonly clink?: string
}

/** Looks at everything that can be looked at, and reports. The exit code is that of the first failure. */
export async function runChecks(options: CheckOptions, io: Io): Promise<ExitCode> {
  const isJson = options.json === true
  const release = isJson ? divertOutput() : () => {}
  const findings: Finding[] = []
  const columns = io.terminal ? process.stdout.columns : undefined
  const show = (found: readonly Finding[]): void => {
    const shown = found.map((finding) => redacted(finding, io.secrets))
    findings.push(...shown)
    if (!isJson) io.out(shown.map((finding) => findingText(finding, io, columns)).join(''))
  }
  const kept: Finding[] = []
  for await (const finding of checks(options, io)) {
    kept.push(finding)
    // A handler may throw anything while it is loaded, also a secret. All secrets are known when the key is.
    if (finding.what === 'key' || findings.length > 0) show(kept.splice(0))
  }
  show(kept)
  release()
  const exit = findings.find(({ result }) => result === 'failed')?.exit ?? EXIT.ok
  io.out(isJson ? `${JSON.stringify({ ok: exit === EXIT.ok, exit, findings })}\n` : `\n${summary(findings)}\n`)
  return exit
}

function redacted({ advice, ...finding }: Finding, secrets: ReadonlySet<string>): Finding {
  const redact = redactor(secrets)
  return { ...finding, detail: redact(finding.detail), ...(advice === undefined ? {} : { advice: redact(advice) }) }
}

async function* checks(options: CheckOptions, io: Io): AsyncGenerator<Finding> {
  const { clink } = options
  const loaded = await attempt('configuration', async () => await readConfig(loadOptions(options, io), io))
  if (isFinding(loaded)) {
    yield loaded
    return
  }
  const { config, file, issue, proxy, warnings } = loaded
  yield ok('configuration', file ?? 'no file, the defaults are used')
  for (const one of warnings) yield warning('configuration', formatIssue(one))
  yield stateFinding(loaded)
  let isStoreThere = false
  for await (const finding of storeFinding(config, io, options.online === true)) {
    isStoreThere ||= finding.result === 'ok'
    yield finding
  }
  const { enabled, host, port } = config.server
  const token = await attempt('server', async () => ({ is: await Promise.resolve(serverToken(config.server)) }))
  if (isFinding(token)) yield token
  else if (enabled && token.is === undefined && !isLoopbackName(inAddress(host)))
    yield warning(
      'server',
      `${host}:${port} has health and metrics only: the dashboard and /api need server.tokenFile there`,
    )

  const handlers = await attempt(
    'handlers',
    async () => await loadMinded({ config, cwd: io.cwd, generation: 1, issue }, io),
  )
  if (isFinding(handlers)) yield handlers
  else {
    yield routesFinding(handlers)
    for (const text of handlers.warnings) yield warning('handlers', text)
    const names = handlers.routes.map(({ name }) => name)
    yield* pauseFindings(config.state.directory, names)
    if (options.online === true && isStoreThere) yield* fleetPauseFindings(config, names, io)
    if (clink !== undefined) yield await attempt('clink', async () => await checkClink(clink, config, handlers, io))
  }

  if (options.online === true) {
    const { hostOf, stopFinding } = await import('./stop-time.ts')
    yield stopFinding(config.shutdown.timeout, hostOf(file, io))
  }

  const key = await attempt('key', async () => await readKey(config, io))
  if (isFinding(key)) {
    // Without `--online` nothing needs a key, and a build machine has none.
    yield options.online === true ? key : warning('key', key.detail)
    return
  }
  const form = await attempt('key', async () => wellFormed(key))
  yield isFinding(form) ? form : ok('key', `from ${key.from}`)
  for (const text of key.warnings) yield warning('key', text)
  if (options.online !== true || isFinding(form)) return
  const { checkService } = await import('./service.ts')
  const routes = isFinding(handlers) ? [] : handlers.described
  yield* checkService({ config, key: key.key, choice: proxy, routes, env: io.env })
}

/** Whether a worker could use its state directory. One that nobody can reach by its socket works all the same, unless programs have to. */
function stateFinding({ config, issue }: LoadedConfig): Finding {
  const { directory } = config.state
  const said = (text: string): string => {
    const found = issue(['state', 'directory'], text)
    // The default was written nowhere.
    return found.value === undefined ? `state.directory: ${directory} ${text}` : formatIssue(found)
  }
  try {
    probeState(directory)
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    return { what: 'state', result: 'failed', detail: said(error.message), exit: error.exitCode }
  }
  const hasPrograms = config.routes.some(({ exec }) => exec !== undefined)
  try {
    if (hasPrograms) taskSocketPath(directory)
    else controlPath(directory)
    return ok('state', directory)
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    const detail = said(`is too long: ${error.message}`)
    return hasPrograms ? { what: 'state', result: 'failed', detail, exit: error.exitCode } : warning('state', detail)
  }
}

/** The routes in the order in which they are tried. */
function routesFinding(handlers: HandlerSet): Finding {
  const rows = handlers.described.map(({ limits, match, place, route, runs }, index) => {
    return { order: index + 1, name: route.name, match, runs, limits, place }
  })
  const text = table(rows.map(({ limits, match, name, order, runs }) => [`${order}`, name, match, runs, limits]))
  return { ...ok('handlers', text.trimEnd()), routes: rows }
}
