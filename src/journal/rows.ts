import { z } from 'zod'

// What a row of the journal must have to be used. A row that lacks it was not written by any version of this program, and is
// dropped rather than trusted.

/** Milliseconds that are believed of a cooling of which an earlier version noted only the end. */
const LONGEST_COOLING = 604_800_000

/** Clinks come from the service's own checked answers; only what the worker itself needs is looked at again. */
const clink = z.looseObject({
  clink_id: z.string(),
  group_id: z.string(),
  sender_id: z.string(),
  sender_name: z.string(),
  content: z.string(),
  created_at: z.string(),
  status: z.string(),
})

export const rows = {
  attempts: z.object({
    count: z.number(),
    errors: z.array(z.string()),
    excused: z.number().exactOptional(),
    outlived: z.number().exactOptional(),
    crashes: z.number(),
    suspect: z.boolean().exactOptional(),
    retried: z.literal(true).exactOptional(),
    at: z.number(),
  }),
  results: z.object({
    content: z.string(),
    response: z.string().exactOptional(),
    leases: z.number(),
    failedAt: z.number().exactOptional(),
    at: z.number(),
  }),
  letters: z.object({
    clink,
    route: z.string(),
    attempts: z.number(),
    reason: z.string(),
    errors: z.array(z.string()),
    tell: z.enum(['release', 'complete']),
    at: z.number(),
    discarded: z.literal(true).exactOptional(),
    seen: z.number().exactOptional(),
    notice: z.string().exactOptional(),
    untaken: z.object({ leases: z.number(), failedAt: z.number() }).exactOptional(),
    rerun: z
      .object({
        step: z.enum(['due', 'running', 'ready', 'sending', 'unknown', 'refused']),
        response: z.string().exactOptional(),
        notBefore: z.number().exactOptional(),
      })
      .exactOptional(),
  }),
  cooling: z.union([
    z.object({ at: z.number(), for: z.number() }),
    z.number().transform((at) => ({ at, for: LONGEST_COOLING })),
  ]),
  own: z.number(),
  claims: z.object({
    clink,
    route: z.string(),
    running: z.boolean(),
    releasing: z.boolean(),
    key: z.string().exactOptional(),
    boot: z.string(),
    sent: z.number(),
    end: z.number(),
    margin: z.number().exactOptional(),
    wall: z.number().exactOptional(),
    serverEnd: z.number().exactOptional(),
    isUnknown: z.literal(true).exactOptional(),
    due: z.object({ uptime: z.number(), wall: z.number() }).exactOptional(),
  }),
  late: z.object({
    clink,
    route: z.string(),
    attempt: z.number(),
    why: z.enum(['late', 'elsewhere']),
    outcome: z.enum(['done', 'release', 'retry', 'reject']),
    response: z.string().exactOptional(),
    reason: z.string().exactOptional(),
    at: z.number(),
  }),
  programs: z.object({
    clinkId: z.string(),
    boot: z.string(),
    group: z.object({ id: z.number(), started: z.string(), run: z.string() }),
  }),
  facts: z.string(),
}
