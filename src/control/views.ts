import { z } from 'zod'
import { wallNow } from '../base/host-time.ts'
import type { DeadLetter, LetterChange } from '../ledger/dead-letters.ts'
import { rows } from '../ledger/rows.ts'
import { changeLetters, MOST, running } from './acts.ts'
import type { Asked } from './asked.ts'
import { fleetView, toldOfFleet } from './fleet.ts'
import { groupsOf, membersOf } from './failures.ts'
import { row } from './row.ts'
import { condition, inboxList, logLine, routeFigures, span, timeline, type Loop } from './seen.ts'
import { status } from './status.ts'
import { statusOf } from './status-of.ts'
import { wish } from './wish.ts'

/** Lines of a clink's log that are told: the last ones. */
const LINES = 500
/** Groups of dead letters that are told: a page with thousands of them can be neither read nor drawn. */
const GROUPS = 100

const group = z.object({
  route: z.string(),
  kind: z.string(),
  count: z.number(),
  first: z.number(),
  last: z.number(),
  some: z.array(z.string()).readonly(),
})
const none = z.strictObject({})
const named = z.strictObject({ id: z.string() })
const overview = z.object({
  /** Wall time in milliseconds. */
  at: z.number(),
  /** The name of that of which it is a member; null: it remembers alone. */
  fleet: z.string().nullable(),
  status,
  /** What is heard of the clinks whose handlers run. */
  runs: z.array(z.object({ id: z.string(), silence: z.number(), line: z.string().nullable() })),
  /** Of the last hour. */
  routes: z.array(routeFigures).readonly(),
  /** Of the oldest clink in the inbox that it would take; null: there is none, or it is not known. */
  inbox: z.object({ pending: z.number(), oldest: z.number().nullable(), isSaturated: z.boolean() }).nullable(),
})
const letter: z.ZodType<DeadLetter> = rows.letters
const found = z.object({
  timeline: timeline.nullable(),
  delivery: status.shape.deliveries.element.nullable(),
  letter: letter.nullable(),
})

/** What a page that is kept open shows, for people. */
export const views = {
  overview: row({ changes: false, params: none, answer: overview, by: (_, asked) => overviewOf(asked) }),
  history: row({
    changes: false,
    params: none,
    answer: z.object({ at: z.number(), length: z.number(), spans: z.array(span).readonly() }),
    by: (_, asked) => {
      const { past } = running(asked)
      return { at: wallNow(), length: past?.length ?? 0, spans: past?.spans ?? [] }
    },
  }),
  fleet: row({
    changes: false,
    params: none,
    answer: fleetView.nullable(),
    by: async (_, { fleet }) => (fleet === undefined ? null : toldOfFleet(await fleet.look())),
  }),
  deliveries: row({
    changes: false,
    params: none,
    /** As in the status, and how many are left out. */
    answer: z.object({ deliveries: status.shape.deliveries, leftOut: status.shape.deliveriesLeftOut }),
    by: (_, asked) => {
      const { deliveries, deliveriesLeftOut: leftOut } = statusOf(running(asked).report(), asked)
      return { deliveries, leftOut }
    },
  }),
  inbox: row({
    changes: false,
    params: none,
    answer: inboxList.nullable(),
    by: (_, asked) => running(asked).inbox() ?? null,
  }),
  clink: row({ changes: false, params: named, answer: found, by: ({ id }, asked) => clinkOf(id, asked) }),
  'clink.log': row({
    changes: false,
    params: named,
    answer: z.object({ lines: z.array(logLine).readonly(), isCut: z.boolean() }),
    by: async ({ id }, asked) => {
      const lines = await running(asked).log(id, LINES + 1)
      return { lines: lines.slice(-LINES), isCut: lines.length > LINES }
    },
  }),
  failed: row({
    changes: false,
    params: none,
    /** Those with the most come first; how many groups and dead letters are left out. */
    answer: z.object({ groups: z.array(group), leftOut: z.object({ groups: z.number(), letters: z.number() }) }),
    by: async (_, { ledger }) => {
      const all = await groupsOf(ledger)
      const rest = all.slice(GROUPS)
      const letters = rest.reduce((sum, { count }) => sum + count, 0)
      return { groups: all.slice(0, GROUPS), leftOut: { groups: rest.length, letters } }
    },
  }),
  'failed.alike': row({
    changes: true,
    params: wish.extend({ act: z.enum(['retry', 'discard']), route: z.string(), kind: z.string() }),
    answer: z.object({ done: z.number(), rerun: z.number(), elsewhere: z.number(), unknown: z.number() }),
    by: changeAlike,
  }),
  condition: row({
    changes: false,
    params: none,
    answer: condition,
    by: async (_, asked) => await conditionOf(asked),
  }),
}

function overviewOf(asked: Asked): z.output<typeof overview> {
  const worker = running(asked)
  const whole = statusOf(worker.report(), asked)
  const runs = whole.deliveries
    .filter(({ state }) => state === 'running')
    .map(({ id }) => ({ id, ...(worker.past?.run(id) ?? { silence: 0, line: null }) }))
  const inbox = worker.inbox()
  const waits = inbox && { pending: inbox.pending, oldest: inbox.oldest, isSaturated: inbox.isSaturated }
  const fleet = asked.fleet?.name ?? null
  return { at: wallNow(), fleet, status: whole, runs, routes: worker.past?.routes ?? [], inbox: waits ?? null }
}

function clinkOf(id: string, asked: Asked): z.output<typeof found> {
  const worker = running(asked)
  const delivery = worker.report().deliveries.find((one) => one.id === id)
  return {
    timeline: worker.past?.timeline(id) ?? null,
    delivery: delivery ?? null,
    letter: asked.ledger.letters.get(id) ?? null,
  }
}

/** @throws {CodedError} STATE_UNAVAILABLE when it cannot be written. */
async function changeAlike(
  { act, kind, route, ...by }: z.output<typeof wish> & { act: 'retry' | 'discard'; route: string; kind: string },
  asked: Asked,
): Promise<Record<LetterChange, number>> {
  const counts = { done: 0, rerun: 0, elsewhere: 0, unknown: 0 }
  const all = await membersOf({ kind, route }, asked.ledger)
  for (let from = 0; from < all.length; from += MOST) {
    const ids = all.slice(from, from + MOST)
    const matching = `${route}: ${kind}`
    for (const change of await changeLetters(act, { ...by, ids, matching }, asked)) counts[change] += 1
  }
  return counts
}

async function conditionOf(asked: Asked): Promise<z.output<typeof condition>> {
  const worker = running(asked)
  return {
    loops: loopsOf(worker.loops()),
    service: worker.past?.service ?? [],
    lateness: worker.past?.lateness ?? { last: 0, most: 0 },
    journal: { isWritable: asked.ledger.isKept(), bytes: await worker.journalSize() },
    memory: process.memoryUsage.rss(),
  }
}

function loopsOf(all: ReturnType<ReturnType<typeof running>['loops']>): Loop[] {
  const loops = new Map<string, Loop>()
  for (const { dueBy, loop: name, since } of all) {
    const one = loops.get(name) ?? { name, count: 0, since: 0, left: Infinity }
    const left = Math.min(one.left, Math.round(-dueBy))
    loops.set(name, { name, count: one.count + 1, since: Math.max(one.since, Math.round(since)), left })
  }
  return [...loops.values()]
}
