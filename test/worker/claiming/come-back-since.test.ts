import { expect, it } from 'vitest'
import { Ledger } from '../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { ComeBack } from '../../../src/worker/claiming/come-back.ts'
import { WorkerSignals } from '../../../src/worker/signals.ts'
import { clink } from '../../support/sample-records.ts'
import { makeSettings } from '../../support/settings.ts'

it('what may have come back since a time is known by when it was given back, or its claim has run out, whatever was asked before', () => {
  let now = 10_000
  const clock = { now: () => now, wall: () => now, at: () => () => {} }
  const signals = new WorkerSignals()
  const comeBack = new ComeBack({
    clock,
    ledger: new Ledger(memoryTables()),
    settings: makeSettings({ claim: { timeout: 60_000 } }),
    signals,
    terms: { longest: 90_000 },
  })
  const since = (...times: readonly number[]): readonly boolean[] => times.map((time) => comeBack.hasSince(time))

  expect(since(-Infinity)).toEqual([false])
  signals.settled.say(clink, { is: 'completed' })
  expect(since(-Infinity)).toEqual([false])
  signals.settled.say(clink, { is: 'released' })
  now = 20_000
  signals.settled.say(clink, { is: 'released' })
  expect(since(9_000, 19_000, 20_000)).toEqual([true, true, false])
  signals.settled.say(clink, { is: 'lost', cause: 'expired', lapsedAt: 25_000 })
  now = 26_000
  expect(since(20_000)).toEqual([false])
  now = 27_000
  expect(since(20_000, 27_000, 20_000)).toEqual([true, false, true])
  now = 200_000
  expect(since(100_000)).toEqual([false])
  // Another worker that is gone has given its clinks back at its end, or their claims run out.
  signals.departed.say(15_000)
  expect(since(184_000, 185_000)).toEqual([true, false])
  now = 246_999
  expect(since(185_000)).toEqual([false])
  now = 247_000
  expect(since(185_000)).toEqual([true])
  // Or as long as claims of polls last, by the service's documentation and by what it has told.
  now = 277_000
  expect(since(276_000)).toEqual([true])
  now = 486_999
  expect(since(277_000)).toEqual([false])
  now = 487_000
  expect(since(277_000)).toEqual([true])
})
