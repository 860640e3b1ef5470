import { existsSync } from 'node:fs'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { parse } from 'yaml'
import { after, systemClock } from '../../base/clock.ts'
import { CodedError, EXIT, type ExitCode } from '../../base/coded-error.ts'
import { errorFact } from '../../base/error-fact.ts'
import { humanDuration } from '../../base/duration.ts'
import { ClinkClient } from '../../clink/client.ts'
import type { Clink } from '../../clink/records.ts'
import { TransportError, type Transport } from '../../clink/transport.ts'
import type { Config } from '../../config/config.ts'
import type { HandlerLog } from '../../handlers/handler.ts'
import { policyOf } from '../../handlers/policy.ts'
import type { RoutedClink } from '../../handlers/route.ts'
import { untilStopped } from '../../host/signals.ts'
import { loggable } from '../../observe/fields.ts'
import { createLogger } from '../../observe/log.ts'
import { runnerByTarget } from '../../runners/by-target.ts'
import { inlineRunner } from '../../runners/inline.ts'
import type { Outcome } from '../../runners/outcome.ts'
import type { TaskServices } from '../../runners/runner.ts'
import { environmentOf, envelopeOf } from '../../worker/execution/task.ts'
import { readText } from '../../worker/replies/hops.ts'
import { ThreadRunner } from '../../runners/thread/pool.ts'
import { Run } from '../../worker/execution/run.ts'
import { SignsOfLife } from '../../worker/execution/signs-of-life.ts'
import { loadOptions, readConfig } from '../terminal/connect.ts'
import { loneSteps } from './lone-steps.ts'
import { clinkOf, type ClinkSource } from './clink.ts'
import type { Io } from '../terminal/io.ts'
import { loadMinded } from '../terminal/load-handlers.ts'
import type { SettingsOptions } from '../terminal/settings.ts'

export interface InvokeOptions extends SettingsOptions, ClinkSource {
  readonly with?: Readonly<Record<string, string>>
  readonly json?: true
}

/** What a run came to, with what it said on the way. */
interface Report {
  readonly route: string
  readonly outcome: Outcome
  /** Its code goes on although its signal was aborted. */
  readonly isStuck: boolean
  /** Milliseconds. */
  readonly duration: number
  readonly replies: readonly { readonly to: 'sender' | 'group'; readonly text: unknown }[]
  readonly log: readonly { readonly level: keyof HandlerLog; readonly message: unknown; readonly fields?: unknown }[]
}

const STUCK = 'the handler goes on although its signal was aborted'

/** Runs a handler file on one clink, here and now. */
export async function invoke(file: string, options: InvokeOptions, io: Io): Promise<ExitCode> {
  const { config } = await readConfig(loadOptions(options, io), io)
  const path = resolve(io.cwd, file)
  if (!existsSync(path)) throw new CodedError('HANDLER_INVALID', `${file}: there is no such file`)
  const given = await clinkOf(options, io)
  const clink = { ...given, content: readText(given.content, config.replies.mark).text }
  const handlers = await loadMinded({ config: only(path, options.with, config), cwd: io.cwd, generation: 1 }, io)
  const routed = await handlers.find(clink, clink.for ?? undefined)
  if (routed === undefined) {
    const which = `${JSON.stringify(clink.content)} of ${clink.sender_name}, in the group ${clink.group_slug}`
    throw new CodedError('USAGE', `${file}: its match does not take this clink: ${which} (--group names another)`)
  }
  if (routed.fault !== undefined) throw new CodedError('USAGE', `${file}: ${routed.fault}`)
  const report = await runOnce({ routed, clink: given, config, quiet: options.json === true }, io)
  io.out(options.json === true ? `${JSON.stringify(loggable(report, { stacks: true }))}\n` : text(report))
  // What goes on may hold the process for ever.
  if (report.isStuck) io.exit(EXIT.failed)
  return ['failed', 'unavailable'].includes(report.outcome.outcome) ? EXIT.failed : EXIT.ok
}

/** The configuration with this one handler: by its routes of the configuration, or by its own match. */
function only(path: string, values: InvokeOptions['with'], config: Config): Config {
  const given = Object.fromEntries(Object.entries(values ?? {}).map(([key, text]) => [key, parse(text) as unknown]))
  const own = config.routes.filter(({ use }) => use === path)
  const routes = own.length > 0 ? own : [{ name: basename(path, extname(path)), use: path, with: {} }]
  return {
    ...config,
    // There is none of this name: the other handlers do not count.
    handlers: { ...config.handlers, directory: join(dirname(path), '.no-handlers') },
    routes: routes.map((route) => ({ ...route, with: { ...route.with, ...given } })),
  }
}

interface Invoked {
  readonly routed: RoutedClink
  readonly clink: Clink
  readonly config: Config
  readonly quiet: boolean
}

async function runOnce({ clink, config, quiet, routed }: Invoked, io: Io): Promise<Report> {
  const { route } = routed
  const policy = policyOf(route, config)
  const clock = systemClock()
  const replies: Report['replies'][number][] = []
  const log: Report['log'][number][] = []
  const logger = createLogger(
    { level: 'trace', format: 'pretty', content: true },
    { destination: { write: (line) => io.note(line) }, terminal: io.terminal, color: io.color, secrets: [] },
  )
  const stuck = Promise.withResolvers<'stuck'>()
  const service = { url: config.clink.url, sessionId: 'invoke' }
  const thread = new ThreadRunner({ clock, settings: { current: config }, service })
  const runner = runnerByTarget({ module: inlineRunner, thread })
  const signs = new SignsOfLife(clock)
  const services: TaskServices = {
    keepalive: () => signs.show(),
    api: offlineClient(),
    log: (level, message, fields) => {
      signs.show()
      log.push({ level, message, ...(fields === undefined ? {} : { fields }) })
      if (!quiet) logger[level]({ event: 'clink.log', message, fields: loggable(fields, { stacks: false }) })
    },
    reply: async (text, to) => {
      signs.show()
      replies.push({ to, text })
      if (!quiet) io.out(`reply to the ${to}: ${String(text)}\n`)
      return `msg_reply_${replies.length}`
    },
    mask: () => {},
    ...loneSteps(clink, clock, (name, ms) => {
      if (!quiet) io.out(`sleep ${name}: a worker would go on in ${humanDuration(ms)}\n`)
    }),
  }
  const run = new Run({
    task: {
      target: route.target,
      envelope: envelopeOf(clink, { ...routed, policy }, 1, { clock, config }),
      env: environmentOf(route, NO_KEY, config.clink.url),
      services,
    },
    runner,
    clock,
    emit: ({ event }) => {
      // A runner that can end it does so now.
      if (event === 'clink.stuck') after(clock, ENDING, () => stuck.resolve('stuck'))
    },
    facts: { clink },
    signs,
    policy,
  })
  void untilStopped(() => io.exit(EXIT.failed)).then(() => run.abort('cancelled'))
  const end = await Promise.race([run.start(), stuck.promise])
  const isStuck = end === 'stuck'
  if (isStuck) io.problem(STUCK)
  else await runner.stop?.()
  const outcome: Outcome = isStuck ? { outcome: 'failed', error: errorFact(STUCK) } : end
  return { route: route.name, outcome, isStuck, duration: Math.round(run.age), replies, log }
}

/** Milliseconds that the end of a run by force may take. */
const ENDING = 500

/** Has the form of a key, and no service takes it. */
const NO_KEY = 'sk_live_u_invoke'

/** The API as a handler sees it where there is no service. */
function offlineClient(): ClinkClient {
  const transport: Transport = {
    send: async () => {
      throw new TransportError('refused', 'no', '"clink-worker invoke" has no service; try it with "clink-worker dev"')
    },
  }
  return new ClinkClient({ key: NO_KEY, transport, attempts: 1 })
}

function text({ outcome, duration }: Report): string {
  const head = `${outcome.outcome} after ${humanDuration(duration)}`
  switch (outcome.outcome) {
    case 'done':
      return outcome.response === undefined
        ? `${head}, without a response\n`
        : `${head}, with the response:\n${outcome.response}\n`
    case 'retry':
      return `${head}: again in ${outcome.after === undefined ? 'retry.backoff' : humanDuration(outcome.after)}${because(outcome.reason)}\n`
    case 'asleep':
      return `${head}: again in ${humanDuration(Math.max(0, outcome.until - Date.now()))}, after ${outcome.name}\n`
    case 'release':
    case 'reject':
    case 'unavailable':
      return `${head}${because(outcome.reason)}\n`
    case 'failed':
      return `${head}: ${outcome.error.stack ?? outcome.error.message}\n`
  }
}

function because(reason: string | undefined): string {
  return reason === undefined ? '' : `: ${reason}`
}
