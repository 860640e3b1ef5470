import { expect, it } from 'vitest'
import { Ledger } from '../../src/ledger/ledger.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'
import { clink as sample } from '../clink/sample-records.ts'
import { HOUR, MINUTE, VirtualBench } from './virtual.ts'

const DAY = 24 * HOUR
const KEEP = 14 * DAY

it('a result that Clink was not told is sent by a worker that was off for months, and not computed again (P5, §5)', async () => {
  let runs = 0
  const tables = memoryTables()
  const bench = new VirtualBench({
    tables,
    handle: async () => `result ${(runs += 1)}`,
    settings: { poll: { interval: MINUTE, maxInterval: MINUTE } },
  })
  await bench.stop()
  const clink = { ...sample, clink_id: bench.send('work'), content: 'work' }
  await new Ledger(tables, undefined, () => bench.clock.wall()).keepResult(clink, 'from long ago')
  bench.wallJump = 60 * DAY
  bench.begin()
  await bench.pass(5 * MINUTE)

  expect(runs).toBe(0)
  expect(bench.emulator.clink(clink.clink_id)?.status).toBe('completed')
  expect(bench.all('clink.completed').map(({ response }) => response)).toEqual(['from long ago'])
  await bench.stop()
})

it('a discarded clink that the configuration leaves out for weeks is not forgotten: the inbox shows it all the time (P10, §5)', async () => {
  const bench = new VirtualBench({
    handle: async () => 'done',
    settings: {
      inbox: { claim: 'select', ignore: ['user_bob'] },
      claim: { exclusive: true },
      poll: { interval: HOUR, maxInterval: HOUR, sweep: HOUR },
      state: { keep: KEEP },
    },
  })
  const clink = { ...sample, clink_id: bench.send('work'), content: 'work' }
  const gone = { ...clink, clink_id: 'msg_gone' }
  for (const one of [clink, gone]) {
    const letter = { clink: one, route: 'test', attempts: 1, reason: 'no', errors: [], tell: 'release' as const }
    await bench.ledger.bury({ ...letter, at: bench.clock.wall() })
    await bench.ledger.letters.discard(one.clink_id)
  }
  await bench.pass(KEEP + 5 * DAY)

  expect(bench.all('clink.started')).toEqual([])
  expect([bench.ledger.isGivenUp(clink.clink_id), bench.ledger.isGivenUp('msg_gone')]).toEqual([true, false])
  await bench.stop()
})
