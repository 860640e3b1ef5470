import { expect, it } from 'vitest'
import { Ledger } from '../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { clink as sample } from '../../support/sample-records.ts'
import { HOUR, MINUTE, VirtualBench } from '../../support/virtual.ts'
import { recalled } from '../../support/states.ts'

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
    await bench.ledger.deadLetter({ ...letter, at: bench.clock.wall() })
    await bench.ledger.letters.discard(one.clink_id)
  }
  await bench.pass(KEEP + 5 * DAY)

  expect(bench.all('clink.started')).toEqual([])
  expect([
    (await recalled(bench.ledger, clink.clink_id)).isGivenUp,
    (await recalled(bench.ledger, 'msg_gone')).isGivenUp,
  ]).toEqual([true, false])
  await bench.stop()
})

it('a claim that left the journal with its result is not noted there again by a renewal (P5, §5)', async () => {
  const tables = memoryTables()
  const renewed = (now: number): string => {
    const at = (ms: number): string => new Date(Date.UTC(2026, 0, 5, 8) + ms).toISOString()
    const times = { claimed_by: 'ap_worker', claimed_at: at(now), claim_expires_at: at(now + 5 * MINUTE) }
    return JSON.stringify({ success: true, data: { ...sample, status: 'claimed', ...times } })
  }
  const bench = new VirtualBench({
    tables,
    handle: async () => 'done',
    // Carried out before the completion, and answered after it.
    weather: ({ path }, now) =>
      path.endsWith('/claim') ? { status: 200, headers: {}, body: renewed(now) } : undefined,
  })
  const forget = tables.attempts.delete.bind(tables.attempts)
  tables.attempts.delete = async (id) => {
    await forget(id)
    // A disk that takes its time: the claim is due for a renewal meanwhile.
    await new Promise<void>((resolve) => void bench.time.at(bench.time.now + 3 * MINUTE, resolve))
  }
  const id = bench.send('work')
  await bench.pass(MINUTE)
  expect([bench.emulator.clink(id)?.status, bench.ledger.process.claims()]).toEqual(['completed', []])
  await bench.watch(2 * MINUTE, () => expect(bench.ledger.process.claims()).toEqual([]))
  await bench.pass(MINUTE)
  expect(bench.all('clink.completed')).toHaveLength(1)
  await bench.stop()
})

it('a failed clink that is lost while it backs off waits as long when it comes back (P10)', async () => {
  const starts: number[] = []
  const bench = new VirtualBench({
    switches: { defaultTimeout: 60, reclaim: 'refuse' },
    settings: { claim: { maxHold: HOUR }, retry: { backoff: 10 * MINUTE, maxBackoff: 10 * MINUTE } },
    handle: async () => {
      starts.push(bench.time.now)
      await Promise.reject(new Error('no'))
    },
  })
  bench.send('work')
  await bench.pass(12 * MINUTE)

  const [first = Number.NaN, second = Number.NaN] = starts
  expect(bench.all('clink.lost').length).toBeGreaterThan(0)
  expect(second - first).toBeGreaterThanOrEqual(bench.all('clink.held')[0]?.wait ?? Infinity)
  await bench.stop()
})
