import { z } from 'zod'
import { CodedError } from '../base/coded-error.ts'
import { isRecord } from '../base/record.ts'
import type { DeadLetter } from '../ledger/dead-letters.ts'
import { rows } from '../ledger/rows.ts'
import {
  cancel,
  changeLetters,
  drain,
  MOST,
  pause,
  reload,
  resume,
  running,
  setLogLevel,
  stop,
  stoppedOf,
} from './acts.ts'
import {
  chosenPage,
  pageSchema,
  shared,
  sharedPageSchema,
  shownStep,
  stepsOf,
  type SharedPage,
} from './dead-letters.ts'
import { health } from './health.ts'
import { rememberedClinks, rememberedOf } from './remembered.ts'
import { row, type Request } from './row.ts'
import type { Asked } from './asked.ts'
import { status } from './status.ts'
import { statusOf } from './status-of.ts'
import { views } from './views.ts'
import { wish } from './wish.ts'

/** A year: nobody waits for longer. */
export const LONGEST_PAUSE = 31_536_000_000

const place = z.strictObject({ at: z.number(), id: z.string() })
/** A page is looked through from a place on, and only what is chosen of it is told. */
const page = {
  after: place.exactOptional(),
  error: z.string().exactOptional(),
  group: z.string().exactOptional(),
  route: z.string().exactOptional(),
  since: z.number().exactOptional(),
}
/** Milliseconds. */
const lasts = z.number().positive().max(LONGEST_PAUSE, 'a year is the longest').exactOptional()
const named = z.strictObject({ id: z.string() })
const letters: z.ZodType<SharedPage<DeadLetter>> = sharedPageSchema(rows.letters)
const change = {
  changes: true,
  params: wish.extend({ ids: z.array(z.string()).max(MOST), matching: z.string().exactOptional() }),
  answer: z.array(z.enum(['done', 'rerun', 'elsewhere', 'unknown'])),
}
const routes = z.array(z.string().nullable()).readonly()
const paused = z.object({ routes, fleet: routes.exactOptional(), isRunning: z.boolean() })
const drained = z.object({ inHand: z.number(), isDone: z.boolean(), isDraining: z.boolean().exactOptional() })
const stopped = z.object({ leftBehind: z.array(z.string()).readonly(), exit: z.number() })
/** A field that nobody knows is refused: it would be looked at as if it were not there. */
const none = z.strictObject({})
const nothing = z.object({})
const names = z.array(z.string()).readonly().default([])
/**
 * `restart`: keys that take one. `kept`: routes that are not there, and for which a pause is kept. A worker of an earlier version does not say
 * either.
 */
const reloaded = z.object({ problem: z.string().nullable(), restart: names, kept: names })

/**
 * Everything that can be asked of a worker, or of the state that it left: by commands over its socket, and by HTTP. This table alone says what a request
 * must have, what its answer is, and whether it changes anything.
 */
const table = {
  'health.live': row({
    changes: false,
    params: none,
    answer: health,
    by: async (_, asked) => {
      const { alive: ok, reasons } = await running(asked).settledLiveness()
      return { ok, reasons }
    },
  }),
  'health.ready': row({
    changes: false,
    params: none,
    answer: health,
    by: (_, asked) => {
      const { ready: ok, reasons } = running(asked).readiness()
      return { ok, reasons }
    },
  }),
  'clinks.remembered': row({
    changes: false,
    params: z.strictObject({ ids: z.array(z.string()).readonly() }),
    answer: rememberedClinks,
    by: async ({ ids }, { away, ledger }) => {
      mustBeThere(away)
      return await rememberedOf(ids, ledger)
    },
  }),
  'failed.letters': row({
    changes: false,
    params: z.strictObject(page),
    answer: letters,
    by: ({ after, ...choice }, asked) => shared(chosenPage(asked.ledger.letters.page(after), choice), asked),
  }),
  'failed.late': row({
    changes: false,
    params: z.strictObject(page),
    answer: pageSchema(rows.late),
    by: ({ after, ...choice }, { ledger }) => chosenPage(ledger.late.page(after), choice),
  }),
  'failed.letter': row({
    changes: false,
    params: named,
    answer: letters,
    by: ({ id }, asked) => {
      const letter = asked.ledger.letters.get(id)
      return shared({ rows: letter === undefined ? [] : [letter] }, asked)
    },
  }),
  'failed.steps': row({
    changes: false,
    params: named.extend({ texts: z.boolean() }),
    answer: pageSchema(shownStep),
    by: async (params, { away, ledger }) => {
      const rows = await stepsOf(params, ledger).catch((error: unknown) => {
        mustBeThere(away)
        throw error
      })
      return { rows }
    },
  }),
  'failed.retry': row({ ...change, by: async (params, asked) => await changeLetters('retry', params, asked) }),
  'failed.discard': row({ ...change, by: async (params, asked) => await changeLetters('discard', params, asked) }),
  status: row({
    changes: false,
    params: none,
    answer: status,
    by: async (_, asked) => {
      const worker = running(asked)
      await worker.lookAtInbox()
      return statusOf(worker.report(), asked)
    },
  }),
  audit: row({
    changes: false,
    params: none,
    answer: z.array(rows.audit),
    by: (_, { away, ledger, worker }) => {
      // One that runs tells what it has read, as long as it runs.
      if (worker === undefined) mustBeThere(away)
      return [...ledger.audit.all()]
    },
  }),
  pause: row({
    changes: true,
    params: wish.extend({ route: z.string().exactOptional(), for: lasts }),
    answer: paused,
    by: pause,
  }),
  resume: row({
    changes: true,
    params: wish.extend({ route: z.string().exactOptional() }),
    answer: paused.extend({ was: z.boolean() }),
    by: resume,
  }),
  drain: row({ changes: true, params: wish, answer: drained, by: drain }),
  drained: row({ changes: false, params: none, answer: drained, by: (_, asked) => running(asked).drained() }),
  stop: row({
    changes: true,
    params: wish,
    answer: nothing,
    by: async (params, asked) => {
      await stop(params, asked)
      return {}
    },
  }),
  /** How it has ended: answered when that is known. */
  stopped: row({ changes: false, params: none, answer: stopped, by: async (_, asked) => await stoppedOf(asked) }),
  cancel: row({
    changes: true,
    params: wish.extend({ id: z.string(), to: z.enum(['release', 'reject']) }),
    answer: z.enum(['aborted', 'waited', 'late', 'unknown']),
    by: cancel,
  }),
  reload: row({ changes: true, params: wish, answer: reloaded, by: reload }),
  'log-level': row({
    changes: true,
    params: wish.extend({ level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']), for: lasts }),
    answer: nothing,
    by: async (params, asked) => {
      await setLogLevel(params, asked)
      return {}
    },
  }),
  ...views,
}

type Table = typeof table
export type RequestName = keyof Table
export type ParamsOf<Name extends RequestName> = z.output<Table[Name]['params']>
export type AnswerOf<Name extends RequestName> = z.output<Table[Name]['answer']>

export const requests: { readonly [Name in RequestName]: Request<ParamsOf<Name>, AnswerOf<Name>> } = table

/** @throws {CodedError} STATE_UNAVAILABLE where the store of the fleet is not. */
function mustBeThere(away: Asked['away']): void {
  const problem = away?.()
  if (problem !== undefined) throw new CodedError('STATE_UNAVAILABLE', problem)
}

/**
 * Answers what has come as JSON.
 *
 * @throws {CodedError} USAGE when the request is none of the table's; or why it cannot be done.
 */
export async function answer(request: unknown, asked: Asked): Promise<unknown> {
  // Not by a loose schema: it drops a field of the name `__proto__`, which is then refused nowhere.
  const { request: name, ...given } = isRecord(request) ? request : {}
  if (!isName(name)) throw new CodedError('USAGE', `${JSON.stringify(name)} is not a request of this worker's version`)
  return await answerTo(name, given, asked)
}

/** @throws {CodedError} USAGE when it has not what the table says; or why it cannot be done. */
export async function answerTo<Name extends RequestName>(
  name: Name,
  given: unknown,
  asked: Asked,
): Promise<AnswerOf<Name>> {
  const { by, params } = requests[name]
  const read = params.safeParse(given)
  if (!read.success) throw new CodedError('USAGE', `the request ${name}: ${problems(read.error)}`)
  return await by(read.data, asked)
}

/** In one line, each with the field that it is about. */
function problems({ issues }: z.ZodError): string {
  return issues
    .map(({ message, path }) => [path.join('.'), message].filter((part) => part !== '').join(': '))
    .join('; ')
}

export function isName(name: unknown): name is RequestName {
  return typeof name === 'string' && Object.hasOwn(table, name)
}
