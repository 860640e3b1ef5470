import {
  HandlerAborted,
  isControl,
  type HandleFunction,
  type HandlerContext,
  type HandlerResult,
} from '../../src/handlers/handler.ts'
import type { Clock } from '../../src/base/clock.ts'
import type { Clink } from '../../src/clink/records.ts'
import type { Chance } from './chance.ts'
import { doSteps } from './stepping.ts'
import { KILLER } from './plan.ts'
import type { Program } from './program.ts'
import type { RunEnd, RunRecord, Record } from './record.ts'
import { SAYS, sentFor, type World } from './world.ts'

export interface HandlerParts {
  readonly life: string
  readonly clock: Clock
  readonly record: Record
  /** Of the seed: what a clink's handler does depends on the clink and on how often it was started, not on who starts it. */
  readonly chance: Chance
  readonly lease: number
  readonly world: World
  /** Id of the worker's owner. */
  readonly owner: string
  /** Its own process, where it has one. */
  readonly program?: Program
  /** Milliseconds of a pause in which a failure costs nothing. */
  readonly outage: number
  /** The process stands still for so long. */
  sleep(ms: number): void
  /** The process is gone. */
  crash(): void
}

/** Milliseconds that code takes after an abort, where it takes its time: longer than most graces. */
const SLOWEST_END = 45_000
/** After so many runs in all nobody sends anything of his own any more. */
const ENOUGH_RUNS = 1_500
const LONG_TEXT = 'Zeile \u{1F980} '.repeat(900)

/** Stands in every text that a run gives as its result, before what may be cut off. */
const RESULT = /<(msg_\w+ \d+)>/

/** Which run's result a text is; undefined: it is none. */
export function resultIn(text: string): string | undefined {
  return RESULT.exec(text)?.[1]
}

/** The user's code: does something else for every clink and every start, and keeps its own record of starts and ends. */
export function makeHandle(parts: HandlerParts): HandleFunction {
  const { record, life } = parts
  return async (clink, ctx) => {
    const opened = parts.program?.opened
    const before = (record.runsByClink.get(clink.clink_id) ?? []).filter((one) => one !== opened).length
    const run: RunRecord = opened ?? { life, clinkId: clink.clink_id, attempt: ctx.attempt, startedAt: record.now }
    if (opened === undefined) record.addRun(run)
    record.say(life, `  run ${clink.clink_id} starts, attempt ${ctx.attempt}: ${clink.content.slice(0, 40)}`)
    let sayAborted = (): void => {}
    ctx.signal.addEventListener('abort', () => {
      const at = record.now
      sayAborted = () => {
        run.abortedAt ??= at
        if (ctx.signal.reason instanceof HandlerAborted) run.abortCode = ctx.signal.reason.code
        record.say(life, `  run ${clink.clink_id} is aborted: ${run.abortCode ?? 'no reason'}`)
      }
      if (run.endedAt === undefined) sayAborted()
    })
    const sign = (): void => {
      if (parts.world.idle !== undefined) (run.signs ??= []).push(record.now)
    }
    const script = new Script(parts, parts.chance.fork(`${clink.clink_id} ${before}`), { clink, ctx, sign })
    const stepping = {
      life,
      run,
      record,
      world: parts.world,
      ctx,
      clink,
      mayFail: before < 5,
      mayReply: clink.content.startsWith('c'),
      sign,
    }
    const finish = (end: RunEnd): void => {
      run.endedAt = record.now
      run.end = end
      if (record.life(life).stoppedAt !== undefined) run.isCutShort = true
      run.isFree = record.isFree(life, parts.outage)
      record.say(life, `  run ${clink.clink_id} ends: ${end}`)
    }
    // Steps may have gone on until then, and have been told to end, though its function has ended before.
    const cutOff = (): void => {
      if (run.abortedAt === undefined) sayAborted()
      finish(run.abortedAt === undefined ? 'failed' : 'aborted')
    }
    parts.program?.begun({ run, cutOff })
    keepAlive(parts, run, { before, keepalive: () => (sign(), ctx.keepalive()) })
    try {
      const { sleeps, steps } = parts.world
      const isStepping = steps !== undefined || sleeps !== undefined
      if (isStepping)
        await doSteps({
          ...stepping,
          ofClink: parts.chance.fork(`steps of ${clink.clink_id}`),
          ofRun: parts.chance.fork(`steps of ${clink.clink_id} ${before}`),
          pause: async (ms) => await script.pause(ms, 'abort'),
          // A run is over when its steps are, though its function has ended before.
          wentOn: () => {
            if (run.end === undefined) return
            if (run.abortedAt === undefined) sayAborted()
            finish(run.end)
          },
        })
      await script.work()
      if (isFailing(parts)) {
        finish('failed')
        throw new Error('what the handler needs is away')
      }
      const { end, value, after, hasText } = script.conclude(before, `${clink.clink_id} ${before}`)
      if (after !== undefined) run.after = after
      if (hasText === true) run.result = `${clink.clink_id} ${before}`
      finish(end)
      return value()
    } catch (error) {
      if (isControl(error) && error.kind === 'sleep') {
        run.after = error.until - parts.clock.wall()
        finish('asleep')
      }
      if (run.endedAt === undefined) finish(ctx.signal.aborted ? 'aborted' : 'failed')
      throw error
    }
  }
}

/** Some runs show all the time that they go on, some never do, and some fall silent. */
function keepAlive(
  { chance, clock, world: { idle } }: HandlerParts,
  run: RunRecord,
  { before, keepalive }: { readonly before: number; readonly keepalive: () => void },
): void {
  if (idle === undefined) return
  const draws = chance.fork(`signs of ${run.clinkId} ${before}`)
  const signs = draws.weighted({ always: 4, never: 1, fewer: 1 })
  let left = { always: Infinity, never: 0, fewer: draws.integer(1, 5) }[signs]
  const next = (): void => {
    if (left === 0) return
    left -= 1
    clock.at(clock.now() + idle * draws.between(0.2, 0.9), () => {
      if (run.endedAt !== undefined) return
      keepalive()
      next()
    })
  }
  next()
}

/** Whether what all handlers need is away. */
function isFailing({ record, world }: HandlerParts): boolean {
  return world.failing.some(({ from, to }) => record.now >= from && record.now < to)
}

interface Conclusion {
  readonly end: RunEnd
  readonly after?: number
  /** There is something to tell the sender. */
  readonly hasText?: boolean
  readonly value: () => HandlerResult
}

interface ScriptRun {
  readonly clink: Clink
  readonly ctx: HandlerContext
  /** It shows that it goes on by what it does now. */
  readonly sign: () => void
}

class Script {
  readonly #parts: HandlerParts
  readonly #chance: Chance
  readonly #ctx: HandlerContext
  /** Answers to answers would go on for ever between two agents. */
  readonly #isChatty: boolean
  readonly #clink: Clink
  readonly #content: string
  readonly #sign: () => void

  constructor(parts: HandlerParts, chance: Chance, { clink, ctx, sign }: ScriptRun) {
    this.#parts = parts
    this.#chance = chance
    this.#ctx = ctx
    this.#clink = clink
    this.#sign = sign
    this.#content = clink.content
    this.#isChatty = clink.content.startsWith('c')
  }

  async work(): Promise<void> {
    const chance = this.#chance
    if (this.#content === KILLER) {
      await this.pause(chance.logarithmic(1, 5_000), 'nothing')
      this.#parts.crash()
      await new Promise(() => {})
    }
    if (this.#isQuick) return await this.#workQuickly()
    const obeys = this.#isSlowToEnd
      ? chance.weighted({ abort: 1, slowly: 4, nothing: 3 })
      : chance.weighted({ abort: 5, draining: 1, nothing: 1 })
    if (chance.is(0.1)) await this.#reply()
    const { lease } = this.#parts
    const long = Math.min(3 * lease, 400_000)
    const length = chance.weighted({ instant: 4, short: 4, lease: 2, long: 1 })
    const ms = {
      instant: 0,
      short: chance.logarithmic(1, lease / 2),
      lease: chance.between(lease / 2, 1.2 * lease),
      long: chance.between(lease, long),
    }[length]
    // Half of the instant ones end in the turn in which they start.
    if (ms > 0 || chance.is(0.5)) await this.pause(ms, obeys)
    if (chance.is(0.03)) await this.#block(chance.logarithmic(100, 1.5 * lease))
    if (chance.is(0.08)) await this.#reply()
    if (this.#isSaying(SAYS.sends)) await this.#sendAround()
  }

  /** It hears of nothing meanwhile. In the worker's own process nobody does. */
  async #block(ms: number): Promise<void> {
    const { life, program, record } = this.#parts
    record.say(life, '  blocks the event loop')
    if (program !== undefined) return await this.pause(ms, 'nothing')
    this.#parts.sleep(ms)
    await this.pause(0, 'nothing')
  }

  /** Of what comes by the hundred, or goes round in a ring, runs are short. */
  get #isQuick(): boolean {
    return [SAYS.quick, SAYS.never, SAYS.ring, SAYS.mixed, SAYS.sour].some((text) => this.#isSaying(text))
  }

  #isSaying(text: string): boolean {
    // An object in the ring says it too.
    return this.#content.startsWith(text) || this.#content.startsWith(`{"${text}"`)
  }

  async #workQuickly(): Promise<void> {
    const chance = this.#chance
    if (chance.is(0.5)) await this.pause(chance.logarithmic(1, 200), 'abort')
    // Beside its answer, seldom: two of each would be hundreds of clinks.
    const isRing = this.#isSaying(SAYS.ring) || this.#isSaying(SAYS.mixed)
    if (isRing && chance.is(0.1)) await this.#send(SAYS.ring, this.#clink.sender_id)
    if (isRing && chance.is(0.1)) await this.#tell('sender')
  }

  /** Through the API, as a program would: to whoever sent the clink, to its group, to the worker's own owner. */
  async #sendAround(): Promise<void> {
    const chance = this.#chance
    const { sender_id } = this.#clink
    const to = { sender: sender_id, group: undefined, itself: this.#parts.owner, other: 'ap_one' }
    const count = chance.integer(1, 2)
    for (let index = 0; index < count; index += 1) {
      const text = chance.is(0.5) ? SAYS.sends : 'cc'
      await this.#send(text, to[chance.weighted({ itself: 3, sender: 1, group: 2, other: 1 })])
    }
  }

  async #send(text: string, to: string | undefined): Promise<void> {
    // Runs that lose their claims send again when they are run again, and so do those of what they have sent.
    if (this.#parts.record.runs.length > ENOUGH_RUNS) return
    const { clink_id, group_id } = this.#clink
    const content = `${text} ${sentFor(clink_id)}`
    this.#sign()
    try {
      await this.#ctx.api.sendClink({ group_id, content, ...(to === undefined ? {} : { for: to }) })
    } catch {
      // Whether it was sent is of no account to it.
    }
  }

  /** In the end everything has an end: a clink that is started for the fifth time is done. */
  conclude(before: number, result: string): Conclusion {
    const chance = this.#chance
    const ctx = this.#ctx
    if (this.#isQuick) return this.#concludeQuickly(result)
    const kinds = {
      text: 5,
      nothing: 3,
      object: 1,
      long: 0.7,
      empty: 0.3,
      throw: 3,
      release: 0.6,
      retry: 0.8,
      reject: 0.5,
    }
    const drawn = before >= 5 ? 'text' : chance.weighted(kinds)
    const isAnswer = drawn === 'text' || drawn === 'object' || drawn === 'long'
    const kind = !this.#isChatty && isAnswer && chance.is(0.5) ? 'nothing' : drawn
    const isThrown = chance.is(0.3)
    const control = (end: RunEnd, make: () => HandlerResult): Conclusion => ({
      end,
      value: () => {
        const made = make()
        // oxlint-disable-next-line typescript/only-throw-error -- a control may be thrown
        if (isThrown) throw made
        return made
      },
    })
    switch (kind) {
      case 'release':
        return control('release', () => ctx.release('not mine'))
      case 'reject':
        return control('reject', () => ctx.reject('bad request'))
      case 'retry': {
        const after = Math.round(chance.logarithmic(10, 30_000))
        return { ...control('retry', () => ctx.retryAfter(after)), after }
      }
      case 'throw':
        return {
          end: 'failed',
          value: () => {
            throw new Error('the handler failed')
          },
        }
      case 'text':
      case 'nothing':
      case 'object':
      case 'long':
      case 'empty': {
        const values = {
          text: `<${result}> done`,
          nothing: undefined,
          object: { response: { ok: true, of: `<${result}>` } },
          long: `<${result}> ${LONG_TEXT}`,
          empty: '',
        }
        return { end: 'result', hasText: isAnswer && kind !== 'nothing', value: () => values[kind] }
      }
    }
  }

  #concludeQuickly(result: string): Conclusion {
    if (this.#isSaying(SAYS.never)) {
      const error = new Error('it never succeeds')
      return {
        end: 'failed',
        value: () => {
          throw error
        },
      }
    }
    const isMixed = this.#isSaying(SAYS.mixed)
    // One of the two answers with objects.
    if (isMixed && this.#parts.owner === 'ap_two')
      return { end: 'result', hasText: true, value: () => ({ response: { mixed: `<${result}>` } }) }
    const text = isMixed ? SAYS.mixed : this.#isSaying(SAYS.ring) ? SAYS.ring : 'done'
    return { end: 'result', hasText: true, value: () => `${text} <${result}>` }
  }

  async #reply(): Promise<void> {
    if (!this.#isChatty) return
    await this.#tell(this.#chance.is(0.5) ? 'sender' : 'group')
  }

  async #tell(to: 'sender' | 'group'): Promise<void> {
    this.#sign()
    try {
      await this.#ctx.reply('working on it', { to })
    } catch {
      // A handler that does not care whether its progress was seen.
    }
  }

  get #isSlowToEnd(): boolean {
    return this.#parts.world.runner?.isSlowToEnd === true
  }

  /** @param obeys `slowly`: it is about as long as the grace until it does. */
  async pause(ms: number, obeys: 'abort' | 'draining' | 'slowly' | 'nothing'): Promise<void> {
    const { clock } = this.#parts
    const { signal, draining } = this.#ctx
    await new Promise<void>((resolve, reject) => {
      const cancel = clock.at(clock.now() + ms, resolve)
      const end = (): void => {
        cancel()
        reject(signal.reason as Error)
      }
      if (obeys === 'nothing') return
      if (obeys === 'slowly') {
        const slowness = this.#chance.fork('slowness').logarithmic(10, SLOWEST_END)
        signal.addEventListener('abort', () => clock.at(clock.now() + slowness, end))
        return
      }
      if (signal.aborted) end()
      signal.addEventListener('abort', end)
      if (obeys === 'draining') draining.addEventListener('abort', () => resolve())
    })
  }
}
