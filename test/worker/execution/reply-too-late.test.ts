import { expect, it } from 'vitest'
import type { HandlerContext } from '../../../src/handlers/handler.ts'
import { Bench, obey, until } from '../../support/harness.ts'
import { requestsFor } from '../../support/record.ts'

const OVER = 'ctx.reply: this run is over, nothing is sent for it any more'

/** How many clinks there are beside those that the test has sent. */
const sent = (bench: Bench, ours: number): number => bench.emulator.clinks().length - ours

it('P2: a handler that goes on after its claim is lost sends nothing any more', async () => {
  await using bench = await Bench.open({ switches: { reclaim: 'refuse', defaultTimeout: 2 } })
  const id = bench.send('hello')
  const said = Promise.withResolvers<unknown>()
  const station = bench.work(
    async (_, ctx) => {
      await obey(ctx).catch(() => {})
      await ctx.reply('still at it').catch(said.resolve)
    },
    { settings: { claim: { timeout: 2_000 } } },
  )
  await station.seen('clink.lost', id)
  expect(await said.promise).toMatchObject({ message: OVER })
  expect(sent(bench, 1)).toBe(0)
})

it('a handler that keeps its context sends nothing by it after its run, though the clink is still in hand', async () => {
  await using bench = await Bench.open()
  const id = bench.send('hello')
  const kept: HandlerContext[] = []
  const station = bench.work((_, ctx) => {
    kept.push(ctx)
    return ctx.retryAfter('50s')
  })
  await station.seen('clink.held', id)
  await expect(kept[0]?.reply('one more thing')).rejects.toThrow(OVER)
  expect(sent(bench, 1)).toBe(0)
})

it('P8: a handler that a stop has given up sends nothing from the moment in which its clink is given back', async () => {
  await using bench = await Bench.open()
  const id = bench.send('hello')
  bench.fault({ operation: 'release_clink' }, { delayBefore: 500 })
  const gate = Promise.withResolvers<void>()
  const said = Promise.withResolvers<unknown>()
  const station = bench.work(
    async (_, ctx) => {
      await gate.promise
      await ctx.reply('still at it').catch(said.resolve)
    },
    { settings: { shutdown: { timeout: 1_500, drain: 200 } } },
  )
  await station.seen('clink.started', id)
  const stopped = station.daemon.stop('the test says so')
  await until(() => requestsFor(bench.emulator, id).some(({ operation }) => operation === 'release_clink'), 'a release')
  expect(station.all('clink.released')).toEqual([])
  gate.resolve()
  expect(await said.promise).toMatchObject({ message: OVER })
  await stopped
  expect(sent(bench, 1)).toBe(0)
})
