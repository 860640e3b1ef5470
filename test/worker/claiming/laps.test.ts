import { describe, expect, it } from 'vitest'
import type { Transport } from '../../../src/clink/transport.ts'
import { Bench, until, type Station } from '../../support/harness.ts'
import { claimingPoll, claimingPolls, times } from '../../support/record.ts'

const LEASE = 1
const INTERVAL = 200
/** So many are claimed one by one, each by a poll that takes a while, in more than a claim lasts. */
const OTHERS = 25
const SLOWLY = 60

/** One clink that is ours, behind those that are not. Claims by id may not be made, so nothing can be chosen. */
function crowded(
  bench: Bench,
  sweep: number,
  wrap?: (inner: Transport) => Transport,
): { station: Station; hidden: string; others: readonly string[] } {
  const hidden = bench.send('ours')
  bench.emulator.changeClink(hidden, { created: bench.emulator.now() - 60_000 })
  const others = bench.sendMany(OTHERS, { from: 'alice' })
  bench.fault(claimingPoll, { delayBefore: SLOWLY })
  const station = bench.work(() => 'done', {
    takes: ({ content }) => content === 'ours',
    ...(wrap === undefined ? {} : { wrap }),
    settings: {
      concurrency: 1,
      claim: { timeout: LEASE * 1_000 },
      inbox: { claim: 'batch' },
      poll: { interval: INTERVAL, maxInterval: INTERVAL, sweep },
    },
  })
  return { station, hidden, others }
}

const switches = { inboxOrder: 'newest', defaultTimeout: LEASE, maxTimeout: `cap:${LEASE}` } as const

describe.concurrent(
  '§3: claims on what is not for this worker, which run out before polls have come to the last of it,',
  () => {
    it('are noticed: that clinks are out of reach is said once, and polls wait as where nothing is to do (P13)', async () => {
      await using bench = await Bench.open({ switches })
      const { station, hidden, others } = crowded(bench, 3_600_000)
      await station.seen('inbox.starved')
      expect(station.daemon.snapshot().starved).toBe(true)
      const before = claimingPolls(bench.emulator).length
      await until(() => claimingPolls(bench.emulator).length > before + 5, 'five more polls')
      const sent = claimingPolls(bench.emulator)
        .slice(before)
        .map(({ at }) => at)
      for (const [n, at] of sent.slice(1).entries()) expect(at - (sent[n] ?? at)).toBeGreaterThanOrEqual(INTERVAL / 2)
      expect(station.all('inbox.starved')).toHaveLength(1)
      expect(bench.status(hidden)).toBe('pending')
      expect(Math.max(...others.map((id) => times(bench.emulator, id, 'claimed')))).toBeGreaterThan(1)
    })

    it('are noticed where their records cannot be read, too', async () => {
      await using bench = await Bench.open({ switches })
      const unreadable = (inner: Transport): Transport => ({
        send: async (request) => {
          const answer = await inner.send(request)
          const without = (record: string): string =>
            record.includes('"ours"') ? record : record.replace('"status"', '"was"')
          return {
            ...answer,
            body: answer.body
              .split(/(?={"clink_id")/)
              .map(without)
              .join(''),
          }
        },
      })
      const { station, hidden } = crowded(bench, 3_600_000, unreadable)
      await station.seen('inbox.starved')
      expect(station.all('clink.leftAlone').every(({ why }) => why === 'malformed')).toBe(true)
      expect(bench.status(hidden)).toBe('pending')
    })

    it('are tried anew with each sweep, and what lay behind is worked when they are fewer', async () => {
      await using bench = await Bench.open({ switches })
      const { station, hidden, others } = crowded(bench, INTERVAL)
      await station.seen('inbox.starved')
      for (const id of others.slice(5)) bench.emulator.changeClink(id, { status: 'completed' })
      await bench.completed(hidden)
      await station.seen('inbox.reached')
      expect(station.daemon.snapshot().starved).toBe(false)
      expect(station.runs).toHaveLength(1)
    })

    it('hide nothing where they last long enough for a lap', async () => {
      await using bench = await Bench.open({ switches: { ...switches, defaultTimeout: 60, maxTimeout: 'none' } })
      const { station, hidden } = crowded(bench, 3_600_000)
      await bench.completed(hidden)
      expect(station.all('inbox.starved')).toEqual([])
    })
  },
)
