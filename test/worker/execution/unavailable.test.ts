import { expect, it } from 'vitest'
import type { Target } from '../../../src/handlers/route.ts'
import { Ledger } from '../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { FakeRunner } from '../../support/fake-runner.ts'
import { Bench, until } from '../../support/harness.ts'
import { story } from '../../support/record.ts'
import { recalled } from '../../support/states.ts'

const target: Target = { is: 'program', command: ['work'], cwd: '/', env: {}, output: 'text', maxOutput: 1_000 }

/** Sees which attempt it is, each time. */
function counting(attempts: number[]): FakeRunner {
  return new FakeRunner({
    work: async ({ envelope }) => {
      attempts.push(envelope.attempt)
      return await Promise.resolve({ outcome: 'done', response: 'done' })
    },
  })
}

it('what runs the handler is away: the route is paused at once, and no clink loses an attempt or is given up (§4)', async () => {
  await using bench = await Bench.open()
  const attempts: number[] = []
  const runner = counting(attempts)
  runner.away = { reason: 'connection refused', retryAfter: 300 }
  const ledger = new Ledger(memoryTables())
  const ids = bench.sendMany(12)
  const settings = {
    inbox: { claim: 'select' },
    concurrency: 2,
    retry: { attempts: 1, backoff: 20, maxBackoff: 50 },
  } as const
  const station = bench.work(() => {}, { runner, target, ledger, settings })
  await until(() => station.all('clink.released').length >= 4, 'several have been given back')

  expect(station.all('route.paused')).toMatchObject([
    { failures: 1, clinks: 1, error: { message: 'connection refused' } },
  ])
  expect(new Set(station.all('clink.ended').map(({ outcome }) => outcome))).toEqual(new Set(['unavailable']))
  expect(station.all('clink.released')[0]).toMatchObject({ why: 'unavailable', reason: 'connection refused' })
  expect(ids.map((id) => ledger.attemptsOf(id).starts)).toEqual(ids.map(() => 0))
  runner.away = undefined
  await bench.completed(ids)
  expect(station.all('route.resumed')).toHaveLength(1)
  expect(attempts).toEqual(ids.map(() => 1))
})

it('no start is tried before the time that it has named, whatever the backoff (P10)', async () => {
  await using bench = await Bench.open()
  const runner = counting([])
  runner.away = { reason: 'too busy', retryAfter: 600 }
  bench.sendMany(5)
  const settings = { concurrency: 1, retry: { backoff: 10, maxBackoff: 10 } }
  const station = bench.work(() => {}, { runner, target, settings })
  const startedAt: number[] = []
  for (let n = 1; n <= 3; n += 1) {
    await until(() => station.all('clink.started').length >= n, `start ${n}`)
    startedAt.push(bench.clock.now())
  }
  const [first = 0, second = 0, third = 0] = startedAt
  expect([second - first >= 550, third - second >= 550]).toEqual([true, true])
})

it('a clink that may end the process stays suspect, since nothing has run (P9, §4)', async () => {
  await using bench = await Bench.open()
  const ledger = new Ledger(memoryTables())
  const id = bench.send('work')
  await Promise.all([ledger.outcome(id, { is: 'suspect' }), ledger.outcome(id, { is: 'crashed' })])
  const runner = { start: () => ({ ended: Promise.resolve({ outcome: 'unavailable', reason: 'away' } as const) }) }
  const station = bench.work(() => {}, { runner, ledger })
  await station.seen('clink.released', id)

  const { tried } = await recalled(ledger, id)
  expect([tried.isSuspect, ledger.attemptsOf(id).crashes, ledger.process.fact('alone')]).toEqual([true, 1, ''])
})

it('a handler that sleeps is held under its name, and runs again as the same attempt (§4)', async () => {
  await using bench = await Bench.open()
  const attempts: number[] = []
  const runner = new FakeRunner({
    work: async ({ envelope }) => {
      attempts.push(envelope.attempt)
      if (attempts.length > 1) return await Promise.resolve({ outcome: 'done', response: 'rested' })
      return { outcome: 'asleep', name: 'overnight', until: Date.now() + 1_200 }
    },
  })
  const id = bench.send('hello')
  const station = bench.work(() => {}, { runner, target })
  await bench.completed(id)
  expect(station.all('clink.held', id)).toMatchObject([{ why: 'it sleeps: overnight' }])
  expect(station.all('clink.ended', id).map(({ outcome }) => outcome)).toEqual(['asleep', 'done'])
  expect([attempts, story(bench.emulator, id)]).toEqual([
    [1, 1],
    ['created', 'claimed', 'completed'],
  ])
})
