import { describe, expect, it } from 'vitest'
import { Bench, obey, take, type Station } from '../../support/harness.ts'
import type { HandlerContext } from '../../../src/handlers/handler.ts'

const settings = { handlers: { idle: 1_000 }, retry: { attempts: 1 } } as const
const work = (bench: Bench, handle: (ctx: HandlerContext) => Promise<unknown>): Station =>
  bench.work(async (_, ctx) => String(await handle(ctx)), { settings })

describe('handlers.idle', () => {
  it('a run that shows no sign of life is a timeout, and says so', async () => {
    await using bench = await Bench.open()
    const id = bench.send('hello')
    const station = work(bench, obey)
    expect(await station.seen('clink.deadLettered', id)).toMatchObject({
      reason: 'timeout: the handler showed no sign of life for 1s',
    })
    expect(station.runs[0]?.aborted?.code).toBe('timeout')
  })

  it.each<[string, (ctx: HandlerContext) => unknown]>([
    ['ctx.keepalive', (ctx) => ctx.keepalive()],
    ['its log', (ctx) => ctx.log.debug('at it')],
    ['its progress', async (ctx) => await ctx.reply('at it')],
    ['its calls, by a client that it took once', async ({ api }) => await api.listGroups()],
  ])('%s is a sign of life', async (_, sign) => {
    await using bench = await Bench.open()
    const id = bench.send('hello')
    const station = work(bench, async (ctx) => {
      for (let n = 0; n < 5; n += 1) {
        await take(400, ctx)
        await sign(ctx)
      }
    })
    await bench.completed(id)
    expect(station.runs[0]?.aborted).toBeUndefined()
  })
})
