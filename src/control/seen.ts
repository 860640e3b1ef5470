import { z } from 'zod'

// What is seen of a worker's past and surroundings, and is there only where somebody may look: where there is an HTTP server. Times are
// wall milliseconds, durations milliseconds.

const moment = z.object({
  at: z.number(),
  /** The name of the event. */
  event: z.string(),
  attempt: z.number().nullable(),
  text: z.string().nullable(),
  /** How often in a row. */
  times: z.number(),
})

/** What the process has seen of one clink. `content` and `response` are left out where nobody asked for them. */
export const timeline = z.object({
  id: z.string(),
  group: z.string(),
  sender: z.string(),
  route: z.string().nullable(),
  /** As the service says it. */
  sent: z.string(),
  moments: z.array(moment).readonly(),
  leftOut: z.number(),
  content: z.string().exactOptional(),
  response: z.string().nullable().exactOptional(),
})

export const logLine = z.object({
  attempt: z.number(),
  at: z.number(),
  level: z.string(),
  message: z.string(),
})

export const span = z.object({
  at: z.number(),
  started: z.number(),
  done: z.number(),
  failed: z.number(),
  deadLettered: z.number(),
  p50: z.number().nullable(),
  p95: z.number().nullable(),
  inHand: z.number(),
})

export const routeFigures = z.object({
  route: z.string(),
  /** Of the last hour, and not more than the last 500. */
  runs: z.number(),
  /** A part, from 0 to 1. */
  failing: z.number(),
  p50: z.number().nullable(),
  p95: z.number().nullable(),
})

const operationFigures = z.object({
  operation: z.string(),
  /** A status of HTTP, or why there was none. */
  answer: z.string(),
  count: z.number(),
  last: z.number(),
  mean: z.number(),
})

export const inboxList = z.object({
  /** How long ago it was looked at. */
  age: z.number(),
  /** Of the clinks that are listed, those that the worker would take. */
  pending: z.number(),
  leftAlone: z.number(),
  oldest: z.number().nullable(),
  /** There may be more. */
  isSaturated: z.boolean(),
  rows: z
    .array(
      z.object({
        id: z.string(),
        group: z.string(),
        sender: z.string(),
        for: z.string().nullable(),
        sent: z.string(),
        route: z.string().nullable(),
        why: z.string().nullable(),
      }),
    )
    .readonly(),
})

const loop = z.object({
  name: z.string(),
  /** How many are under way. */
  count: z.number(),
  /** Since the one that has stood still for the longest got further. */
  since: z.number(),
  /** Until the first one is late; below 0: it is. */
  left: z.number(),
})
export type Loop = z.output<typeof loop>

const lateness = z.object({ last: z.number(), most: z.number() })

export const condition = z.object({
  loops: z.array(loop),
  service: z.array(operationFigures).readonly(),
  /** By how much timers were late: the last one, and the latest of a minute. */
  lateness,
  journal: z.object({ isWritable: z.boolean(), bytes: z.number() }),
  /** Bytes. */
  memory: z.number(),
})

type Of<Schema extends z.ZodType> = z.output<Schema>

/** The worker as it is seen. */
export interface Seen {
  /** Undefined: nobody may look, so nothing is kept. */
  readonly past:
    | {
        run(id: string): { readonly silence: number; readonly line: string | null } | undefined
        timeline(id: string): Of<typeof timeline> | undefined
        readonly spans: readonly Of<typeof span>[]
        /** Of a span. */
        readonly length: number
        readonly routes: readonly Of<typeof routeFigures>[]
        readonly service: readonly Of<typeof operationFigures>[]
        readonly lateness: Of<typeof lateness>
      }
    | undefined
  /** Undefined: nothing is known yet. Asking keeps it known. */
  inbox(): Of<typeof inboxList> | undefined
  loops(): readonly { readonly loop: string; readonly since: number; readonly dueBy: number }[]
  /** Bytes of the journal's files. */
  journalSize(): Promise<number>
  /** What the clink's handler and its programs have said: the last so many lines. */
  log(id: string, most: number): Promise<readonly Of<typeof logLine>[]>
}
