import { envelopeOf, noServices } from '../support/task-services.ts'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { HandlerAborted, type HandleFunction } from '../../src/handlers/handler.ts'
import type { Target } from '../../src/handlers/route.ts'
import { inlineRunner } from '../../src/runners/inline.ts'
import { itKeepsTheContract, type Contracted } from './contract.ts'

const module = (handle: HandleFunction): Target => ({ is: 'module', handle })

async function whenAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}

function make(): Contracted {
  const over = Promise.withResolvers<string>()
  return {
    runner: inlineRunner,
    end: () => over.resolve('too late'),
    samples: {
      answers: module(({ content }) => `done: ${content}`),
      ends: module(() => {}),
      waits: module((_, ctx) => ctx.retryAfter('9s', 'busy')),
      releases: module((_, ctx) => ctx.release('not mine')),
      rejects: module((_, ctx) => {
        // oxlint-disable-next-line typescript/only-throw-error -- it may be thrown as well
        throw ctx.reject('no such target')
      }),
      fails: module(() => {
        throw new Error('the door sticks')
      }),
      tells: module((clink, { attempt, deadline, hops, idempotencyKey, match, with: values }) => {
        return { clink, attempt, hops, deadline: deadline.getTime(), idempotencyKey, match, with: values }
      }),
      floods: module(() => 'x'.repeat(2 * 1_024 * 1_024)),
      uses: module(async (clink, ctx) => {
        await ctx.reply('half done')
        ctx.log.info('at it', { step: 1 })
        return await ctx.api.claimClink(clink).catch((error: Error) => error.message)
      }),
      steps: module(async (_, ctx) => {
        const one = await ctx.step('one', async () => {
          await ctx.reply('half done')
          return `one of attempt ${ctx.attempt}`
        })
        if (ctx.attempt === 1) throw new Error('the first attempt')
        return one
      }),
      sleeps: module(async (_, ctx) => {
        await ctx.sleep('a while', '1s')
        return `slept, attempt ${ctx.attempt}`
      }),
      obeys: module(async (_, { log, signal }) => {
        log.info('begun')
        await whenAborted(signal)
        throw new Error(signal.reason instanceof HandlerAborted ? signal.reason.code : 'no code')
      }),
      finishes: module(async (_, { draining, log }) => {
        log.info('begun')
        await whenAborted(draining)
        return 'finished early'
      }),
      lives: module(async (_, ctx) => {
        for (let n = 0; n < 20; n += 1) {
          await delay(300)
          ctx.keepalive()
        }
        return 'alive'
      }),
      ignores: module(async (_, { log }) => {
        log.info('begun')
        return await over.promise
      }),
    },
  }
}

itKeepsTheContract(make, { kills: false })

it('what is no module cannot be run inline, and is no fault of the clink', async () => {
  const never = new AbortController().signal
  const { ended } = inlineRunner.start({
    target: {
      is: 'url',
      url: 'http://127.0.0.1:1/',
      secretFile: undefined,
      connectTimeout: 1,
      maxResponse: 1,
    },
    envelope: envelopeOf(),
    env: {},
    services: noServices,
    signals: { abort: never, draining: never },
  })
  expect(await ended).toMatchObject({ outcome: 'unavailable', reason: 'a url cannot run in this process' })
})
