import { describe, expect, it } from 'vitest'
import { Bench, obey, until } from '../../support/harness.ts'
import { answers, requestsFor, times, when } from '../../support/record.ts'

describe.concurrent('P2, §2: renewals whose answers come after the claim could be trusted', () => {
  it.for([
    ['and which have extended it', { delayAfter: 4_000 }],
    ['and which take effect by then', { delayBefore: 4_000 }],
  ] as const)(
    'are worth nothing (%s): the handler is aborted in time, and the clink is done once more',
    async ([, effect]) => {
      await using bench = await Bench.open({ switches: { defaultTimeout: 2 } })
      const fault = bench.fault({ operation: 'claim_clink' }, effect)
      const id = bench.send('long work')
      const station = bench.work(
        async (_, ctx) => {
          if (station.runs.length > 1) return 'second'
          await obey(ctx).catch(() => {})
          return 'first'
        },
        { settings: { claim: { timeout: 2_000 } } },
      )
      await until(() => station.runs[0]?.aborted !== undefined, 'the handler is aborted')
      expect(fault.hits).toBeGreaterThan(0)
      expect(station.runs[0]?.aborted?.code).toBe('lease-lost')
      const granted = when(bench.emulator, id, 'claimed')
      expect((station.runs[0]?.aborted?.at ?? Infinity) - granted).toBeLessThan(2_000)
      const aborted = bench.emulator.now()
      await bench.completed(id)

      const again = when(bench.emulator, id, 'claimed', 2)
      expect(requestsFor(bench.emulator, id).filter(({ at }) => at >= aborted && at < again)).toEqual([])
      expect(times(bench.emulator, id, 'released')).toBe(0)
      expect(answers(bench.emulator).map(({ content }) => content)).toEqual(['second'])
    },
  )
})
