import { systemClock } from '../../base/clock.ts'
import { Secret } from '../../base/secret.ts'
import type { ExitCode } from '../../base/coded-error.ts'
import { ConfigError, formatIssue } from '../../config/issue.ts'
import type { LoadedConfig } from '../../config/load.ts'
import { startEmulator, type Emulator } from '../../emulator/emulator.ts'
import type { WorkerEvent } from '../../events.ts'
import type { HandlerSet } from '../../handlers/handler-set.ts'
import type { StandardOutput } from '../../host/standard-output.ts'
import { WorkerProcess } from '../../host/worker-process.ts'
import { createLogger } from '../../observe/log.ts'
import { printable } from '../../observe/printable.ts'
import { loadOptions, readConfig } from '../terminal/connect.ts'
import { sampleHandlers } from './sample-handlers.ts'
import { SampleSenders } from './samples.ts'
import type { Io } from '../terminal/io.ts'
import { loadMinded, sayStray } from '../terminal/load-handlers.ts'
import type { SettingsOptions } from '../terminal/settings.ts'
import { work } from '../../daemon/service.ts'

export interface DevOptions extends SettingsOptions {
  /** False: none are sent. */
  readonly samples: boolean
  readonly port: number
  readonly json?: true
}

/** Seconds that a claim lasts: short, so that renewals are seen while one watches. */
const CLAIM = 9
const DEFAULTS = {
  'handlers.watch': true,
  'log.level': 'debug',
  'log.format': 'pretty',
  // Nothing here is anybody's secret, and one wants to see what comes and what goes.
  'log.content': true,
  // The samples come from four members who never tire.
}
const QUICK = {
  ...DEFAULTS,
  'claim.timeout': `${CLAIM}s`,
  'poll.maxInterval': '2s',
  'retry.backoff': '2s',
  'shutdown.drain': '3s',
  'shutdown.timeout': '8s',
}
/** Whose key other terminals are given: somebody who sends, not the worker. */
const SENDER = 'alice'

/** Works an embedded Clink with whatever handlers there are, until told to stop. */
export async function runDev(options: DevOptions, io: Io): Promise<ExitCode> {
  const host = new WorkerProcess({
    cwd: io.cwd,
    exit: (code) => io.exit(code),
    broken: (error) => sayStray(error, io),
    // Nobody runs it as a service.
    hangUpStops: true,
  })
  const output = io.takeOutput()
  const emulator = await startEmulator({ port: options.port, switches: { defaultTimeout: CLAIM } })
  const samples = options.samples ? new SampleSenders(emulator, systemClock()) : undefined
  try {
    return await runOn(emulator, samples, options, { host, output }, io)
  } finally {
    await samples?.stop()
    await emulator.close()
  }
}

async function runOn(
  emulator: Emulator,
  samples: SampleSenders | undefined,
  options: DevOptions,
  { host, output }: { readonly host: WorkerProcess; readonly output: StandardOutput },
  io: Io,
): Promise<ExitCode> {
  const { config, file, warnings } = await devConfiguration(emulator, options, io)
  const logger = createLogger(config.log, {
    destination: { write: (line) => io.out(line) },
    terminal: io.terminal,
    color: io.color,
    secrets: io.secrets,
  })
  for (const issue of warnings) logger.warn({ event: 'config.warning', message: formatIssue(issue) })
  const handlers = await loadMinded({ config, cwd: io.cwd, generation: 1, echoWhenEmpty: true }, io)
  const say = (text: string): void => (options.json === true ? io.note(text) : io.out(text))
  say(introduction(emulator, handlers, { config, file }, samples !== undefined))

  samples?.start()
  const listen = (event: WorkerEvent): void => {
    if (event.event === 'worker.stopped') say(summary(event, samples?.sent ?? 0))
  }
  return await work({
    host,
    config,
    key: new Secret(emulator.key),
    handlers,
    // The same file, though another one may come to be found first.
    configuration: {
      file,
      read: async () => {
        const same = file === null ? options : { ...options, config: file }
        return (await devConfiguration(emulator, same, io)).config
      },
    },
    first: samples === undefined ? undefined : sampleHandlers(config),
    echoWhenEmpty: true,
    logger,
    cwd: io.cwd,
    env: io.env,
    output,
    beside: samples,
    listen,
    secrets: io.secrets,
  })
}

/** The user's own configuration, but for the service; with quick times where those go together with the user's. */
async function devConfiguration({ url, key }: Emulator, options: DevOptions, io: Io): Promise<LoadedConfig> {
  const own = loadOptions(options, io)
  const format = options.json === true ? { 'log.format': 'json' } : {}
  const all = { ...own, flags: { ...own.flags, ...format, 'clink.url': url, 'clink.key': key } }
  return await readConfig({ ...all, defaults: QUICK }, io).catch(async (error: unknown) => {
    if (!(error instanceof ConfigError)) throw error
    return await readConfig({ ...all, defaults: DEFAULTS }, io)
  })
}

function introduction(
  { url, keys }: Emulator,
  handlers: HandlerSet,
  { config, file }: Pick<LoadedConfig, 'config' | 'file'>,
  samples: boolean,
): string {
  const { directory, watch } = config.handlers
  const names = handlers.routes.map(({ name, file }) => `${name} (${file})`).join(', ')
  const isBuiltIn = handlers.routes.every(({ file }) => file === 'built-in')
  return (
    `An embedded Clink is at ${url}${samples ? ', and its members send a clink every two seconds' : ''}.\n` +
    (isBuiltIn
      ? `There is no handler in ${printable(directory)}: a built-in echo answers. "clink-worker init" writes one to start from.\n`
      : `Handlers: ${printable(names)}.${watch ? ` They${file === null ? '' : ', and the configuration,'} are loaded again when they change.` : ''}\n`) +
    `Send one yourself, from another terminal:\n\n` +
    `  export CLINK_API_URL=${url} CLINK_API_KEY=${keys[SENDER] ?? ''}\n` +
    `  clink-worker send ops "good morning"\n` +
    `  clink-worker inbox                    # the answers to ${SENDER}\n\n` +
    `Ctrl-C ends it.\n\n`
  )
}

function summary(event: Extract<WorkerEvent, { event: 'worker.stopped' }>, sent: number): string {
  const { completed, released, deadLettered, lost } = event
  return (
    `That was all: ${completed} completed, ${released} released, ${deadLettered} given up, ${lost} lost` +
    `${sent > 0 ? `; ${sent} sample clinks were sent` : ''}.\n`
  )
}
