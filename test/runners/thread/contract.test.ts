import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import type { Target } from '../../../src/handlers/route.ts'
import { ThreadRunner } from '../../../src/runners/thread/pool.ts'
import { makeConfig } from '../../support/settings.ts'
import { threadTargetsIn } from '../../support/thread-targets.ts'
import { itKeepsTheContract, type Contracted, type Samples } from '../contract.ts'

const handlers: Readonly<Record<keyof Samples, string>> = {
  answers: '({ content }) => `done: ${content}`',
  ends: '() => {}',
  waits: '(_, ctx) => ctx.retryAfter("9s", "busy")',
  releases: '(_, ctx) => ctx.release("not mine")',
  rejects: '(_, ctx) => { throw ctx.reject("no such target") }',
  fails: '() => { throw new Error("the door sticks") }',
  tells: `(clink, { attempt, deadline, hops, idempotencyKey, match, with: values }) =>
    ({ clink, attempt, hops, deadline: deadline.getTime(), idempotencyKey, match, with: values })`,
  floods: '() => "x".repeat(2 * 1024 * 1024)',
  uses: `async (clink, ctx) => {
    await ctx.reply('half done')
    ctx.log.info('at it', { step: 1 })
    return await ctx.api.claimClink(clink).catch((error) => error.message)
  }`,
  steps: `async (_, ctx) => {
    const one = await ctx.step('one', async () => {
      await ctx.reply('half done')
      return 'one of attempt ' + ctx.attempt
    })
    if (ctx.attempt === 1) throw new Error('the first attempt')
    return one
  }`,
  sleeps: `async (_, ctx) => {
    await ctx.sleep('a while', '1s')
    return 'slept, attempt ' + ctx.attempt
  }`,
  obeys: `async (_, { log, signal }) => {
    log.info('begun')
    if (!signal.aborted) await once(signal, 'abort')
    throw new Error(signal.reason instanceof HandlerAborted ? signal.reason.code : 'no code')
  }`,
  finishes: `async (_, { draining, log }) => {
    log.info('begun')
    if (!draining.aborted) await once(draining, 'abort')
    return 'finished early'
  }`,
  lives: `async (_, { keepalive }) => {
    for (let n = 0; n < 20; n += 1) {
      await new Promise((resolve) => setTimeout(resolve, 300))
      keepalive()
    }
    return 'alive'
  }`,
  ignores: '(_, { log }) => { log.info("begun"); for (;;); }',
}

const directory = mkdtempSync(join(tmpdir(), 'clink-worker-threads-'))
const runners: ThreadRunner[] = []
let samples: Samples

beforeAll(async () => {
  const sample = await threadTargetsIn(directory, handlers)
  const entries = Object.keys(handlers).map((name): [string, Target] => [name, sample(name as keyof Samples)])
  samples = Object.fromEntries(entries) as unknown as Samples
})

afterAll(async () => {
  await Promise.all(runners.map(async (runner) => await runner.stop()))
  rmSync(directory, { recursive: true })
})

function make(): Contracted {
  const settings = { current: makeConfig('http://127.0.0.1:1') }
  const service = { url: 'http://127.0.0.1:1', sessionId: 'test' }
  const runner = new ThreadRunner({ clock: systemClock(), settings, service })
  runners.push(runner)
  return { runner, samples, end: () => {} }
}

itKeepsTheContract(make, { kills: true, atOnce: 8 })
