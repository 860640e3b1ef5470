import { z } from 'zod'
import type { Frozen } from '../base/frozen.ts'
import type { Clink } from '../clink/records.ts'

// What is remembered, and what a row must have to be used. A row that lacks it was not written by any version of this program, and is
// dropped rather than trusted.

/** Milliseconds that are believed of a cooling of which an earlier version noted only the end. */
const LONGEST_COOLING = 604_800_000

/** Clinks come from the service's own checked answers; only what the worker itself needs is looked at again. */
const clink: z.ZodType<Clink> = z.looseObject({
  clink_id: z.string(),
  group_id: z.string(),
  sender_id: z.string(),
  sender_name: z.string(),
  content: z.string(),
  created_at: z.string(),
  status: z.string(),
})

/** Starts of a handler for one clink. */
const attempts = z.object({
  count: z.number(),
  errors: z.array(z.string()),
  /** Starts that ended with the process: they do not use up attempts. */
  excused: z.number().exactOptional(),
  /** The last start was taken back: there is nothing to excuse, though it may run still. */
  isTakenBack: z.literal(true).exactOptional(),
  /** Starts of a fleet whose handlers gave the clink back. */
  released: z.number().exactOptional(),
  /** Starts that went on until the claim ran out, where the service does not renew claims. */
  outlived: z.number().exactOptional(),
  /** Crashes of the process while the clink ran alone. */
  crashes: z.number(),
  /** It was running when the process crashed, for the second time in a row: it runs alone until it has ended once. */
  suspect: z.boolean().exactOptional(),
  /** The last start was over a letter, which was given up then. */
  letter: z.number().exactOptional(),
  /** That letter is another member's since: the starts count, and none of them goes on. */
  stoodBack: z.literal(true).exactOptional(),
  /** An operator had its dead letter retried: asking once more changes nothing. */
  retried: z.literal(true).exactOptional(),
  /** Wall time of the last change, in milliseconds. */
  at: z.number(),
})

/** A completion that Clink has not confirmed. */
const results = z.object({
  content: z.string(),
  response: z.string().exactOptional(),
  /** The leases in which the service failed to take it to their end. */
  leases: z.number(),
  /** Wall time, in milliseconds, of the first of their failures. */
  failedAt: z.number().optional(),
  /** Clink has refused it: it is among the late results as well. */
  isLate: z.literal(true).exactOptional(),
  /** Of a clink that was run again: its sender has the result, and nothing waits for Clink unless the clink comes back. */
  isSent: z.literal(true).exactOptional(),
  /** Wall time in milliseconds. */
  at: z.number(),
})

/** How far a run without a claim has come, and the result for the clink's sender. */
const rerun = z.object({
  /**
   * - `due`: to be run.
   * - `running`: its handler was started.
   * - `ready`: its result is to be sent; it is not computed again.
   * - `sending`: the result is about to be sent. Found by a start, it may have arrived.
   * - `unknown`: the result was sent and not answered. Only the operator sends it again.
   * - `refused`: the service does not take the result.
   */
  step: z.enum(['due', 'running', 'ready', 'sending', 'unknown', 'refused']),
  response: z.string().exactOptional(),
  /** Of one that is due after a failure: wall time, in milliseconds, before which it is not run. */
  notBefore: z.number().exactOptional(),
  /** How long that was from when it was noted, in milliseconds: no clock that was set makes it longer. */
  wait: z.number().exactOptional(),
  /** Of a fleet: which member runs it. */
  by: z.string().exactOptional(),
})

/** A clink that this worker has given up on, kept for the operator. */
const letters = z.object({
  clink,
  route: z.string(),
  attempts: z.number(),
  reason: z.string(),
  /** Messages of the failed attempts, oldest first. */
  errors: z.array(z.string()),
  /** What Clink is told about it; `complete`: its sender knows, and a later success is sent as a new clink. */
  tell: z.enum(['release', 'complete']),
  /** When it was given up, or discarded: wall time in milliseconds. */
  at: z.number(),
  /** Nobody wants to see it any more; what is left of it says only that the clink is not to be run. */
  discarded: z.literal(true).exactOptional(),
  /** Wall time at which the inbox showed its clink, noted once a day at most. */
  seen: z.number().exactOptional(),
  /** The answer that its sender gets, until Clink has confirmed that answer. */
  notice: z.string().exactOptional(),
  /** The leases in which the service failed to take the notice, and the wall time, in milliseconds, of their first failure. */
  untaken: z.object({ leases: z.number(), failedAt: z.number() }).exactOptional(),
  /** The operator wants it run again though its sender was told that it failed. */
  rerun: rerun.exactOptional(),
})

/** A clink that is left alone for a while: until when, in wall milliseconds, and for how long that was noted, in milliseconds. */
const cooling = z.union([
  z.object({ at: z.number(), for: z.number() }),
  z.number().transform((at) => ({ at, for: LONGEST_COOLING })),
])

/** A claim of this process, so that the next start can hold on to it. */
const standingClaim = z.object({
  clink,
  /** Which key made it, by its fingerprint. */
  key: z.string().exactOptional(),
  /** The boot whose uptime `sent` and `end` are told in: when the request that first granted the claim was sent, and the end of its lease. */
  boot: z.string(),
  sent: z.number(),
  end: z.number(),
  /** Milliseconds by which the claim itself ends later than its lease. A renewal moves the end of the claim. */
  margin: z.number().exactOptional(),
  /** The wall time of that end, in milliseconds. */
  wall: z.number().exactOptional(),
  /** The service's own end of the claim, in milliseconds of its clock. */
  serverEnd: z.number().exactOptional(),
  /** The length of the claim was not known yet: `end` is a guess, and until then the worker may ask about the claim. */
  isUnknown: z.literal(true).exactOptional(),
  /** Of a clink that waits: the boot's uptime, and the wall time, at which it may be worked. */
  due: z.object({ uptime: z.number(), wall: z.number() }).exactOptional(),
})

/** One whose clink is worked. */
const heldClaim = standingClaim.extend({
  route: z.string(),
  /** True while code runs for it, be it that of an earlier claim: code may end the process. */
  running: z.boolean(),
  /** True once a release was to be sent, or the claim was lost: it may be another's by now. */
  releasing: z.boolean(),
  /** Of a clink that waits: its handler wanted that, by `ctx.sleep`. */
  asleep: z.literal(true).exactOptional(),
})

/** One whose clink is not run now, and that no release was to be sent for. */
const parked = standingClaim.extend({
  /** A word. */
  why: z.string(),
})

/** With what has come of its clink so far. */
const claims = z.object({
  claim: heldClaim,
  attempts: attempts.exactOptional(),
  result: results.exactOptional(),
})

/**
 * The result of a handler that came too late to tell Clink. It is kept for the operator; nothing sends it, and no
 * later run uses it.
 */
const late = z.object({
  clink,
  route: z.string(),
  attempt: z.number(),
  /** `late`: its claim had ended by then. `elsewhere`: Clink refused it, since somebody else had settled the clink, or we may not any more. */
  why: z.enum(['late', 'elsewhere']),
  outcome: z.enum(['done', 'release', 'retry', 'reject']),
  response: z.string().exactOptional(),
  reason: z.string().exactOptional(),
  /** Wall time in milliseconds. */
  at: z.number(),
})

/** What an operator did. */
const audit = z.object({
  /** Wall time in milliseconds. */
  at: z.number(),
  act: z.enum(['pause', 'resume', 'drain', 'stop', 'cancel', 'reload', 'log-level', 'retry', 'discard']),
  /** Who, as their command said. */
  by: z.string(),
  /** What it was done to: a route, a clink, dead letters, a level. Left out: the worker. */
  about: z.string().exactOptional(),
  note: z.string().exactOptional(),
  /** What came of it, where that is more than that it was done. */
  outcome: z.string().exactOptional(),
  /** Of a fleet: which member was asked, and its machine. Left out: the fleet was, or a worker that remembers alone. */
  member: z.string().exactOptional(),
  machine: z.string().exactOptional(),
})

/** A program that runs for a clink, and may outlive the process that has started it. */
const programs = z.object({
  clinkId: z.string(),
  /** The boot to which `started` of the group refers. */
  boot: z.string(),
  group: z.object({ id: z.number(), started: z.string(), run: z.string() }),
})

/** What is kept of a clink under a name, while the clink is not done. */
export const step = z.object({
  /** `step`: what a step came to. `sleep`: until when it waits. `reply`: which clink was sent, or that one was about to be. */
  is: z.enum(['step', 'sleep', 'reply']),
  name: z.string(),
  /** The clink's content, by its fingerprint: of another one it counts for nothing. */
  content: z.string(),
  /** JSON, and empty for nothing. */
  value: z.string(),
  /** Wall time when it was kept; left out where an earlier version has kept it. */
  at: z.number().nullish(),
})

export const rows = {
  attempts,
  results,
  letters,
  cooling,
  /** When (wall milliseconds) we sent a clink, or the inbox showed it. */
  own: z.number(),
  claims,
  parked,
  late,
  audit,
  programs,
  /** Facts about the worker itself. */
  facts: z.string(),
  /**
   * What was changed here and a fleet was not told yet; by kind and id. 2: whether or not the fleet has such a row; 1: where it has one. Of a letter:
   * which one it is, where it is new, what has changed of it, and what it was before. Of a part: when those of all members were over, in wall milliseconds.
   */
  untold: z.union([
    z.literal(1),
    z.literal(2),
    z.object({ over: z.number() }),
    z.object({
      born: z.string().exactOptional(),
      keys: z.array(z.string()),
      was: z.array(z.tuple([rerun.nullable(), z.number()])),
    }),
  ]),
}

/** A row of one table. */
export type Row<Name extends keyof typeof rows> = Frozen<z.output<(typeof rows)[Name]>>
