import type { Clink } from '../../src/clink/records.ts'
import type { HandlerContext } from '../../src/handlers/handler.ts'
import type { Chance } from './chance.ts'
import type { NapRecord, Record, RunRecord, StepRecord } from './record.ts'
import type { World } from './world.ts'

export interface SteppingParts {
  readonly life: string
  readonly run: RunRecord
  readonly record: Record
  readonly world: World
  readonly ctx: HandlerContext
  readonly clink: Clink
  /** Of the clink: each run has the same steps. */
  readonly ofClink: Chance
  /** Of the run: what goes wrong this time. */
  readonly ofRun: Chance
  /** Everything has an end. */
  readonly mayFail: boolean
  readonly mayReply: boolean
  pause(ms: number): Promise<void>
  /** It shows that it goes on by what it does now. */
  readonly sign: () => void
  /** A step of the run has gone on until now, and is kept. */
  wentOn(): void
}

/** Stands in what a step sends. */
const SENT = /<(msg_\w+ step \d+ reply \d+)>/

/** Which reply of which step a text is; undefined: it is none. */
export function stepReplyIn(text: string): string | undefined {
  return SENT.exec(text)?.[1]
}

/** The part of a handler that is done once for its clink, and the sleeps between. */
export async function doSteps(parts: SteppingParts): Promise<void> {
  const { ofClink, world } = parts
  const { sleeps, steps } = world
  const count = steps === undefined ? 0 : ofClink.integer(1, steps.most)
  for (let n = 1; n <= count; n += 1) {
    // Some run side by side.
    const together = ofClink.is(0.2) ? [n, (n += 1)] : [n]
    await Promise.all(together.map(async (one) => await step(parts, `step ${one}`)))
    if (sleeps !== undefined && ofClink.is(0.4))
      await nap(parts, `sleep ${n}`, ofClink.logarithmic(200, sleeps.longest))
  }
  if (steps === undefined && sleeps !== undefined) await nap(parts, 'sleep', ofClink.logarithmic(200, sleeps.longest))
}

async function step(parts: SteppingParts, name: string): Promise<void> {
  const { clink, ctx, life, mayFail, ofRun, record, run } = parts
  const { clink_id: clinkId } = clink
  const draws = ofRun.fork(name)
  const value = `${clinkId} ${name} ${record.steps.length}`
  let done: StepRecord | undefined
  parts.sign()
  run.openSteps = (run.openSteps ?? 0) + 1
  const keeping = ctx.step(name, async () => {
    done = { life, clinkId, name, value, startedAt: record.now }
    record.steps.push(done)
    record.say(life, `  ${name} of ${clinkId} begins`)
    try {
      if (parts.mayReply && draws.is(0.3)) await reply(parts, name, 1)
      if (draws.is(0.5)) await parts.pause(draws.logarithmic(1, 2_000))
      if (mayFail && draws.is(0.15)) throw new Error(`${name} fails`)
      done.doneAt = record.now
      // The worker hears of what is done, and not that a step fails.
      parts.sign()
      return value
    } finally {
      done.endedAt = record.now
    }
  })
  const given = await keeping.finally(() => {
    run.openSteps = (run.openSteps ?? 0) - 1
    parts.wentOn()
  })
  record.say(life, `  ${name} of ${clinkId} came to ${given}`)
  if (done !== undefined) done.keptAt = record.now
  record.given.push({ life, clinkId, name, value: given, at: record.now })
}

async function reply({ clink, ctx, sign }: SteppingParts, name: string, n: number): Promise<void> {
  sign()
  await ctx.reply(`<${clink.clink_id} ${name} reply ${n}>`).catch(() => {})
}

async function nap({ clink, ctx, life, record, sign }: SteppingParts, name: string, ms: number): Promise<void> {
  const one: NapRecord = { life, clinkId: clink.clink_id, name, ms: Math.round(ms), askedAt: record.now }
  record.naps.push(one)
  sign()
  await ctx.sleep(name, one.ms)
  one.overAt = record.now
}
