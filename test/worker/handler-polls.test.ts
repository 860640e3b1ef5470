import { expect, it } from 'vitest'
import type { CallResult } from '../../src/clink/client.ts'
import { HandlerClaims } from '../../src/worker/handler-claims.ts'
import { HOUR, MINUTE, VirtualBench } from './virtual.ts'
import { VirtualTime } from '../simulation/virtual-time.ts'
import { Chance } from '../simulation/chance.ts'

const poll = (): CallResult => ({ operation: 'check_inbox', params: { claim: true }, result: { clinks: [] } })

it('the answer to one claiming poll of a handler is not taken for that to another (P3, §1)', async () => {
  const time = new VirtualTime(new Chance(1))
  const clock = { now: () => time.now, wall: () => time.now, at: (at: number, run: () => void) => time.at(at, run) }
  const claims = new HandlerClaims(clock)
  const [slow, quick] = [poll(), poll()]
  claims.called(slow)
  claims.called(quick)
  let known: boolean | undefined
  void claims.polled(MINUTE, new AbortController().signal).then((is) => (known = is))
  claims.answered(quick)
  claims.called(poll())
  await time.runUntil(1_000, () => false)
  expect(known).toBeUndefined()
  claims.answered(slow)
  await time.runUntil(2_000, () => false)
  expect(known).toBe(true)
})

it('a handler that waits for hours for its own poll keeps no loop of the worker waiting (P12, §1)', async () => {
  let hanging = ''
  const bench = new VirtualBench({
    settings: {
      concurrency: 3,
      inbox: { claim: 'select' },
      claim: { exclusive: true },
      handlers: { timeout: 2 * HOUR },
    },
    weather: ({ path }) => (path === hanging ? 'hang' : undefined),
    handle: async ({ content }, { api }) => {
      if (content !== 'polls') return 'done'
      hanging = '/inbox?claim=true&limit=7'
      await api.checkInbox({ claim: true, limit: 7 }, { timeout: HOUR, attempts: 1 }).catch(() => {})
      return 'done'
    },
  })
  bench.send('polls')
  await bench.pass(MINUTE)
  const other = bench.send('other')
  await bench.watch(HOUR - 2 * MINUTE, () => expect(bench.daemon.liveness()).toEqual({ alive: true, reasons: [] }))
  await bench.pass(20 * MINUTE)
  expect(bench.emulator.clink(other)?.status).toBe('completed')
  await bench.stop()
})
