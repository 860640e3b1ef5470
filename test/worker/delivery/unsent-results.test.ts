import { beforeEach, expect, it } from 'vitest'
import { ClinkApiError } from '../../../src/clink/errors.ts'
import type { Clink } from '../../../src/clink/records.ts'
import { UnsentResults } from '../../../src/worker/delivery/unsent-results.ts'
import { WorkerSignals } from '../../../src/worker/signals.ts'
import { clink } from '../../support/sample-records.ts'

const called = (id: string): Clink => ({ ...clink, clink_id: id })

let now: number
let signals: WorkerSignals
let inHand: { running: readonly string[]; settling: readonly string[] }
let unsent: UnsentResults

beforeEach(() => {
  now = 1_000
  signals = new WorkerSignals()
  inHand = { running: [], settling: ['a', 'b'] }
  const deliveries = {
    in: (what: string) => inHand[what as 'running'].map((id) => ({ clink: called(id) })),
  }
  unsent = new UnsentResults(deliveries as never, { clock: { now: () => now }, signals })
})

const fail = (id: string, message: string): void => {
  const facts = { detail: undefined, operation: 'complete_clink', mayHaveHappened: false, isBare: false } as const
  const error = new ClinkApiError(message, { ...facts, status: 503, retryAfter: undefined, failure: undefined })
  signals.settlementFailed.say(called(id), error)
}

it('all slots are taken by results that the service does not take once each has failed for five seconds', () => {
  fail('a', 'first')
  now += 1_000
  fail('b', 'other')
  now += 3_000
  fail('a', 'it is away')
  expect(unsent.trouble).toBeUndefined()
  now += 1_999
  expect(unsent.trouble).toBeUndefined()
  now += 1
  expect(unsent.trouble).toBe('all slots hold results that the service does not take: it is away')
})

it('a slot may come free while something runs, or has not failed', () => {
  fail('a', 'it is away')
  now += 60_000
  expect(unsent.trouble).toBeUndefined()
  fail('b', 'it is away')
  now += 60_000
  expect(unsent.trouble).toBeDefined()
  inHand = { ...inHand, running: ['c'] }
  expect(unsent.trouble).toBeUndefined()
  inHand = { running: [], settling: ['a', 'b', 'c'] }
  expect(unsent.trouble).toBeUndefined()
  inHand = { running: [], settling: [] }
  expect(unsent.trouble).toBeUndefined()
})

it('what was settled has failed no more', () => {
  inHand = { running: [], settling: ['a'] }
  fail('a', 'it is away')
  now += 60_000
  signals.settled.say(called('a'), { is: 'completed' })
  expect(unsent.trouble).toBeUndefined()
  fail('a', 'it is away')
  expect(unsent.trouble).toBeUndefined()
})
