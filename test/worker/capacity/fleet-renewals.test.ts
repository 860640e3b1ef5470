import { expect, it } from 'vitest'
import type { KeyRight } from '../../../src/ledger/fleet-limits.ts'
import { KeyRenewals } from '../../../src/worker/capacity/fleet-renewals.ts'
import { WorkerSignals } from '../../../src/worker/signals.ts'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

const right = (token: string): KeyRight => ({ route: 'test', key: 'user_bob', token, clink: 'one' })

it('a right that is given anew ends the one before, of which a renewal is answered later, and nothing more is asked about that', async () => {
  const bench = new VirtualBench({
    handle: async () => await Promise.resolve('done'),
    settings: { claim: { timeout: MINUTE } },
  })
  const asked: (readonly string[])[] = []
  const answered = Promise.withResolvers<undefined>()
  const store = {
    ask: async () => await Promise.reject(new Error('nobody asks')),
    renew: async (rights: readonly KeyRight[]) => {
      const tokens = rights.map(({ token }) => token)
      asked.push(tokens)
      if (asked.length === 1) await answered.promise
      return new Set(tokens)
    },
  }
  const signals = new WorkerSignals()
  let lost = 0
  signals.rightsLost.on(() => (lost += 1))
  const renewals = new KeyRenewals({ clock: bench.clock, settings: bench.daemon.settings, signals }, store)
  const first = renewals.add(right('first'), bench.clock.now())
  while (asked.length === 0) await bench.pass(100)

  const second = renewals.add(right('second'), bench.clock.now())
  answered.resolve(undefined)
  await bench.pass(100)
  expect([first.deadline, lost]).toEqual([-Infinity, 1])
  await bench.pass(2 * MINUTE)
  expect(second.deadline).toBeGreaterThan(bench.clock.now())
  expect(asked.slice(1).every((tokens) => tokens.join() === 'second')).toBe(true)
  expect(asked.length).toBeLessThan(15)

  second.isGone = true
  const before = asked.length
  await bench.pass(2 * MINUTE)
  expect(asked.length).toBe(before)
  renewals.close()
  await bench.stop()
})
