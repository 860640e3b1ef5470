import { sleep, systemClock } from '../../base/clock.ts'
import { CodedError, EXIT, type ExitCode } from '../../base/coded-error.ts'
import { humanDuration } from '../../base/duration.ts'
import { textLines } from '../../base/text-lines.ts'
import type { Drained, LogLevel } from '../../control/asked.ts'
import { keptPause } from '../../control/pause-text.ts'
import { resumeCommand } from '../../control/resume-command.ts'
import { printable } from '../../observe/printable.ts'
import { wishOf, type NoteOptions } from '../terminal/caller.ts'
import { stateOf, type StateSettings } from '../terminal/connect.ts'
import type { Io } from '../terminal/io.ts'
import type { PatientLink } from '../terminal/patience.ts'
import { reachOrMakeState, reachState, type StatePlace } from '../terminal/reach-state.ts'
import { reachWorker } from '../terminal/reach-worker.ts'
import { positiveDuration } from '../terminal/settings.ts'
import { within } from '../terminal/within.ts'
import { lastsOf } from './lasts.ts'
import { needRoute } from './routes.ts'
import { stillPaused, subjectOf } from './still-paused.ts'
import { stopOf } from './stopped.ts'

export interface OperateOptions extends StateSettings, NoteOptions {
  readonly route?: string
  readonly fleet?: true
  readonly for?: string
  readonly wait?: true
  readonly timeout?: string
  readonly release?: true
  readonly reject?: true
  readonly json?: true
}

type Act = 'pause' | 'resume' | 'drain' | 'stop' | 'cancel' | 'reload' | 'logLevel'

/** What came of it: for people, for programs, and what the command ends with. */
interface Said {
  readonly text: string
  readonly json: unknown
  /** Left out: 0. */
  readonly exit?: ExitCode
}

const NEW = 'no worker has run with this state directory yet, the first one goes by it'
/** Milliseconds between two looks how far a drain is. */
const LOOK = 200

/** @param subject a clink, or a level. */
export async function operate(what: Act, subject: string, options: OperateOptions, io: Io): Promise<void> {
  if (options.fleet === true && (what === 'pause' || what === 'resume'))
    return await (await import('./fleet.ts')).operateFleet(what, options, io)
  check(options, what === 'logLevel' ? subject : undefined)
  const state = await stateOf(options, io)
  if (what === 'pause' || what === 'resume') await needRoute(what, options, state, io)
  const link = await REACH[what](state)
  try {
    const { exit = EXIT.ok, json, text } = await ACTS[what](link, options, io, subject)
    io.out(options.json === true ? `${JSON.stringify(json)}\n` : `${linesOf(text)}\n`)
    if (exit !== EXIT.ok) io.finish(exit)
  } finally {
    await link.close()
  }
}

/** What lasts over restarts can be said to a worker that is to be started, for the first time as well. */
const REACH: Readonly<Record<Act, (state: StatePlace) => Promise<PatientLink>>> = {
  pause: reachOrMakeState,
  resume: reachState,
  drain: reachWorker,
  stop: reachWorker,
  cancel: reachWorker,
  reload: reachWorker,
  logLevel: reachWorker,
}

const ACTS: Readonly<
  Record<Act, (link: PatientLink, options: OperateOptions, io: Io, subject: string) => Promise<Said>>
> = {
  pause: async (link, options, io) => {
    const lasts = lastsOf(options)
    const json = await link.ask('pause', {
      ...wishOf(options, io),
      ...routeOf(options),
      ...(lasts !== undefined && { for: lasts }),
    })
    const until = lasts === undefined ? 'until it is resumed' : `for ${humanDuration(lasts)}`
    const next = json.isRunning ? '' : `; ${link.isNew === true ? NEW : 'no worker runs, the next one goes by it'}`
    return { text: `paused: ${subjectOf(options.route)}, ${until}${next}${stillPaused(json.fleet ?? [])}`, json }
  },
  resume: async (link, options, io) => {
    const json = await link.ask('resume', { ...wishOf(options, io), ...routeOf(options) })
    const still = json.routes.map(subjectOf)
    const left = still.length === 0 ? '' : `; still paused: ${still.join(', ')}`
    return { text: `${json.was ? 'resumed' : 'nothing to resume'}${left}${stillPaused(json.fleet ?? [])}`, json }
  },
  drain: async (link, options, io) => {
    const limit = limitOf(options)
    const first = await link.ask('drain', wishOf(options, io), limit)
    const json = limit === undefined ? first : await drained(link, first, limit)
    const isDone = json.isDone || options.wait !== true
    return { text: drainText(json), json, ...unless(isDone) }
  },
  stop: async (link, options, io) => {
    const limit = limitOf(options)
    const begun = link.ask('stop', wishOf(options, io), limit)
    // Asked at once: a worker that has nothing in hand is gone before a second request could reach it.
    const ended = limit === undefined ? undefined : stopOf(link)
    ended?.catch(() => {})
    await begun
    if (limit === undefined || ended === undefined) return { text: 'stopping', json: { stopped: false } }
    const stopped = await within(ended, limit)
    return stopped ?? { text: 'still stopping', json: { stopped: false }, exit: EXIT.failed }
  },
  cancel: async (link, options, io, id) => {
    const to = options.reject === true ? 'reject' : 'release'
    const result = await link.ask('cancel', { ...wishOf(options, io), id, to })
    const then = to === 'reject' ? 'given up' : 'given back'
    const text = {
      aborted: `${id}: its handler is aborted, and the clink ${then} when that has ended`,
      waited: `${id}: it did not run, and is ${then}`,
      late: `${id}: too late, Clink is being told what came of it`,
      unknown: `${id} is not in hand; \`clink-worker status\` shows what is`,
    }[result]
    return { text, json: { clink_id: id, result }, ...unless(result === 'aborted' || result === 'waited') }
  },
  reload: async (link, options, io) => {
    const json = await link.ask('reload', wishOf(options, io))
    const kept = json.kept.map((route) => `\n${keptPause(route)}: \`${resumeCommand(route, false)}\` ends it`).join('')
    if (json.problem !== null) return { text: `${notReloaded(json.problem)}${kept}`, json, exit: EXIT.failed }
    const restart = json.restart.length === 0 ? '' : `; what takes a restart: ${json.restart.join(', ')}`
    return { text: `reloaded${restart}${kept}`, json }
  },
  logLevel: async (link, options, io, text) => {
    const level = levelOf(text)
    const lasts = lastsOf(options)
    await link.ask('log-level', { ...wishOf(options, io), level, ...(lasts !== undefined && { for: lasts }) })
    const until = lasts === undefined ? '' : ` for ${humanDuration(lasts)}`
    return { text: `the log shows ${level} and above${until}`, json: { level } }
  },
}

function drainText({ inHand, isDone, isDraining }: Drained): string {
  if (isDone) return 'drained: nothing is in hand'
  if (isDraining === false) return `not drained, somebody has resumed the worker meanwhile: ${inHand} in hand`
  return `draining: ${inHand} in hand`
}

/** One mistake stands in the same line, of several each in its own. */
function notReloaded(problem: string): string {
  const lines = textLines(problem)
  const [first = ''] = lines
  const all = lines.length === 1 ? ` ${first}` : lines.map((line) => `\n  ${line}`).join('')
  return `not reloaded, what was in use stays:${all}`
}

function linesOf(text: string): string {
  return text.split('\n').map(printable).join('\n')
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

function levelOf(text: string): LogLevel {
  const found = LEVELS.find((level) => level === text)
  if (found !== undefined) return found
  throw new CodedError('USAGE', `${JSON.stringify(text)} is no level: ${LEVELS.join(', ')}`)
}

/** What was wanted has not come to be. */
function unless(isDone: boolean): Pick<Said, 'exit'> {
  return isDone ? {} : { exit: EXIT.failed }
}

/** Whatever the state directory is like. */
function check(options: OperateOptions, level: string | undefined): void {
  const { reject, release, timeout, wait } = options
  if (reject === true && release === true) throw new CodedError('USAGE', 'cancel: --release or --reject, not both')
  if (timeout !== undefined && wait !== true) throw new CodedError('USAGE', '--timeout is for --wait: add it')
  limitOf(options)
  lastsOf(options)
  if (level !== undefined) levelOf(level)
}

function routeOf({ route }: OperateOptions): { route?: string } {
  return route === undefined ? {} : { route }
}

/** Undefined: the end is not waited for. */
function limitOf({ timeout, wait }: OperateOptions): number | undefined {
  if (wait !== true) return undefined
  return timeout === undefined ? Infinity : positiveDuration('--timeout', timeout, '30s, 10m, 1h')
}

/** A worker that has ended meanwhile has nothing in hand; one that somebody resumes may never be done. */
async function drained(link: PatientLink, first: Drained, limit: number): Promise<Drained> {
  const clock = systemClock()
  const end = clock.now() + limit
  for (let state = first; ;) {
    const left = Math.max(0, end - clock.now())
    state = await link.ask('drained', {}, left).catch((error: unknown) => goneOrThrown(error, state))
    if (state.isDone || state.isDraining === false || clock.now() >= end) return state
    await sleep(clock, LOOK)
  }
}

/** @param last how far it was when it answered last. */
function goneOrThrown(error: unknown, last: Drained): Drained {
  if (error instanceof CodedError && error.code === 'STATE_BUSY') return { inHand: 0, isDone: true }
  if (error instanceof CodedError && error.code === 'UNANSWERED') return last
  throw error
}
