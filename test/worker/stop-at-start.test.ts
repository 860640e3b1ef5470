import { EXIT } from '../../src/base/coded-error.ts'
import { describe, expect, it } from 'vitest'
import { openState, type State } from '../../src/journal/state.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'
import { TempDir } from '../support/temp-dir.ts'
import type { Transport } from '../../src/clink/transport.ts'
import { Bench, type WorkOptions } from '../support/harness.ts'
import { seed } from '../support/key-owners.ts'
import { times } from '../support/record.ts'

/** A worker that holds two clinks, whose process then is as good as gone, and the journal that it has left behind. */
async function left(
  bench: Bench,
  directory: string,
): Promise<{ ids: readonly string[]; state: State; end: () => void }> {
  const ids = bench.sendMany(2)
  const ledger = new Ledger(memoryTables())
  const over = Promise.withResolvers<void>()
  // With both slots taken it claims nothing that is given back.
  const before = bench.work(async () => await over.promise, { ledger, settings: { concurrency: 2 } })
  for (const id of ids) await before.seen('clink.started', id)
  const state = openState({ directory, sync: 'normal', onHealth: () => {} })
  for (const claim of ledger.process.claims()) await state.ledger.process.hold(claim)
  for (const name of ['session', 'identity', 'run'])
    await state.ledger.process.note({ [name]: ledger.process.fact(name) ?? '' })
  return { ids, state, end: () => over.resolve() }
}

describe.concurrent(
  'P8, P9, §6: a stop that is asked for while the worker holds on to what an earlier process held',
  () => {
    it.for<[string, WorkOptions]>([
      ['at once', {}],
      ['while a renewal with another key tells whose the claims are', { key: 'next' }],
    ])('(%s) gives all of it back, and passes for no crash', async ([, options]) => {
      await using bench = await Bench.open({ seed, switches: { identity: 'owner' } })
      using directory = new TempDir()
      const { end, ids, state } = await left(bench, directory.path)
      const { ledger } = state
      const station = bench.work(() => 'done', { ...options, ledger, start: false })
      station.daemon.start()
      await station.daemon.stop('test')
      const claims = ledger.process.claims()
      const facts = [ledger.process.fact('run'), ledger.process.fact('crashes')]
      state.close()

      expect(await station.ended()).toBe(0)
      expect(station.runs).toEqual([])
      for (const id of ids) expect(times(bench.emulator, id, 'released')).toBe(1)
      expect(claims).toEqual([])
      expect(facts).toEqual(['stopped', '0'])
      end()
    })

    it('sends a result that was kept of one of them (P5)', async () => {
      await using bench = await Bench.open()
      using directory = new TempDir()
      const { end, ids, state } = await left(bench, directory.path)
      const [first = '', second = ''] = ids
      for (const { clink } of state.ledger.process.claims())
        if (clink.clink_id === first) await state.ledger.keepResult(clink, 'kept')
      const station = bench.work(() => 'done', { ledger: state.ledger, start: false })
      station.daemon.start()
      await station.daemon.stop('test')
      state.close()

      expect([bench.status(first), bench.status(second)]).toEqual(['completed', 'pending'])
      expect(station.all('clink.completed', first)).toMatchObject([{ response: 'kept' }])
      expect(station.runs).toEqual([])
      end()
    })

    it('asks nobody for longer than a stop may take', async () => {
      await using bench = await Bench.open({ seed, switches: { identity: 'owner' } })
      using directory = new TempDir()
      const { end, state } = await left(bench, directory.path)
      const { ledger } = state
      bench.fault({ operation: 'claim_clink' }, { hang: 'before' })
      // Nobody answers: the questions must not ask for less than is left of the claims.
      const settings = {
        claim: { timeout: 300_000 },
        clink: { timeout: 30_000 },
        shutdown: { timeout: 2_000, drain: 1_000 },
      }
      let asks = (): void => {}
      const asked = new Promise<void>((resolve) => (asks = resolve))
      const wrap = (inner: Transport): Transport => ({
        send: async (request) => {
          if (request.path.endsWith('/claim')) asks()
          return await inner.send(request)
        },
      })
      const station = bench.work(() => 'done', { key: 'next', ledger, settings, wrap, start: false })
      station.daemon.start()
      await asked
      await station.daemon.stop('test')
      const run = ledger.process.fact('run')
      state.close()

      expect(await station.ended()).toBe(EXIT.internal)
      expect(station.runs).toEqual([])
      // A claim that nobody had asked about yet is given back; the one in question is named.
      const leftBehind = station.all('worker.stopped')[0]?.leftBehind ?? []
      expect(leftBehind.length).toBeGreaterThan(0)
      expect(new Set([...leftBehind, ...station.all('clink.released').map(({ clink }) => clink.clink_id)]).size).toBe(2)
      expect(run).toBe('stopped')
      end()
    })
  },
)
