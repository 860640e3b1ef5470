import { expect, it } from 'vitest'
import type { TransportRequest } from '../../../../src/clink/transport.ts'
import { memoryTables } from '../../../../src/ledger/memory-tables.ts'
import { MINUTE, VirtualBench, type Weather } from '../../../support/virtual.ts'

const isSend = ({ method, path }: TransportRequest): boolean => method === 'POST' && path.endsWith('/clinks')

/** A handler whose first step sends progress and then fails, twice. @param weather what becomes of each try to send, in order. */
async function play(weather: readonly (Weather | undefined)[] = []) {
  let tries = 0
  const ids: unknown[] = []
  const tables = memoryTables()
  const bench = new VirtualBench({
    tables,
    settings: { retry: { backoff: 1_000, attempts: 5 }, clink: { timeout: 2_000 } },
    weather: (request) => (isSend(request) ? weather[tries++] : undefined),
    handle: async (_, ctx, one) => {
      await ctx.step('tell', async () => {
        ids.push(await ctx.reply('half done').catch(() => 'no answer'))
        if (one.all('clink.started').length <= 2) throw new Error('not yet')
        ids.push(await ctx.reply('nearly done'))
      })
    },
  })
  const id = bench.send('work')
  await bench.pass(2 * MINUTE)
  const sent = bench.emulator.clinks().map(({ content }) => content.split('\n')[0])
  return { bench, ids, status: bench.emulator.clink(id)?.status, sent: sent.filter((text) => text !== 'work'), tries }
}

it('§4: a reply within a step is sent once, however often the step runs', async () => {
  const { ids, sent, status, tries } = await play()
  expect([sent, status, tries]).toEqual([['half done', 'nearly done'], 'completed', 2])
  expect(ids).toEqual([ids[0], ids[0], ids[0], expect.stringMatching(/^msg_/)])
  expect(ids[0]).toMatch(/^msg_/)
})

it.each<[what: string, weather: Weather]>([
  ['that was not answered', 'hang'],
  ['whose connection broke', 'reset'],
])('§4: one %s is not sent again, and the log says so', async (_, weather) => {
  const { bench, ids, sent, status, tries } = await play([weather])
  expect([sent, status, tries]).toEqual([['nearly done'], 'completed', 2])
  expect(ids).toEqual(['no answer', undefined, undefined, expect.stringMatching(/^msg_/)])
  const said = /^reply 1 of step "tell": an earlier run was about to send it, and nobody knows whether it did/
  expect(bench.all('clink.log')).toMatchObject(
    [1, 2].map(() => ({ level: 'warn', message: expect.stringMatching(said) })),
  )
})

it('§4: one that was refused is sent by the next run of the step', async () => {
  const refused = { status: 403, headers: {}, body: '{"success":false,"error":"forbidden","message":"not now"}' }
  const { ids, sent } = await play([refused])
  expect(sent).toEqual(['half done', 'nearly done'])
  expect(ids.slice(0, 3)).toEqual(['no answer', ids[1], ids[1]])
})

it('§4: one that would come after its step is refused', async () => {
  const said: unknown[] = []
  const bench = new VirtualBench({
    handle: async (_, ctx, one) => {
      const late = Promise.withResolvers<unknown>()
      await ctx.step('one', () => {
        void one.take(1_000, ctx.signal).then(async () => late.resolve(await ctx.reply('late').catch(String)))
      })
      said.push(await late.promise)
    },
  })
  bench.send('work')
  await bench.pass(MINUTE)
  expect(said).toEqual(['Error: ctx.reply: step "one" is over: wait for the reply within it'])
})
