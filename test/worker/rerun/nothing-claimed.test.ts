import { describe, expect, it } from 'vitest'
import { Ledger } from '../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { Bench, until, type Station } from '../../support/harness.ts'
import { requests } from '../../support/record.ts'
import type { Settings } from '../../support/settings.ts'

const TELL = { retry: { attempts: 1, onExhausted: 'complete' } } as const
const SELECT: Settings = { ...TELL, inbox: { claim: 'select' } }

/** A letter whose sender was told, where claims by id take what siblings hold: a worker that wants to choose claims nothing. */
async function blocked(bench: Bench): Promise<{ readonly ledger: Ledger; readonly id: string }> {
  const ledger = new Ledger(memoryTables())
  const fails = (): never => {
    throw new Error('the first error')
  }
  const first = bench.work(fails, { ledger, settings: TELL })
  const id = bench.send('work')
  await bench.completed(id)
  await first.close()
  const second = bench.work(() => 'done', { ledger, settings: SELECT })
  bench.send('finds it out')
  await until(() => second.all('worker.siblings').length > 0, 'it is found out')
  await second.close()
  expect(second.all('worker.siblings')).toMatchObject([{ verdict: 'granted' }])
  return { ledger, id }
}

const isKept = (station: Station): boolean =>
  station.all('worker.notReady').some(({ reason }) => reason.includes('needs claims by id'))

describe.concurrent('A worker that may claim nothing', () => {
  it('runs again what was retried, and claims nothing (P1, §5)', async () => {
    await using bench = await Bench.open({ switches: { identity: 'key' } })
    const { id, ledger } = await blocked(bench)
    expect(await ledger.letters.retry(id)).toBe('rerun')
    const before = requests(bench.emulator, 'claim_clink').length
    const station = bench.work(() => 'it worked', { ledger, settings: SELECT })
    const { resultId = '' } = await station.seen('clink.rerunDone', id)

    expect(bench.emulator.clink(resultId)?.content).toBe('it worked')
    expect([isKept(station), requests(bench.emulator, 'claim_clink').length]).toEqual([true, before])
    expect([ledger.letters.all(), station.all('clink.claimed'), station.all('worker.ready')]).toEqual([[], [], []])
  })

  it('does so once the service has answered', async () => {
    await using bench = await Bench.open({ switches: { identity: 'key' } })
    const { id, ledger } = await blocked(bench)
    expect(await ledger.letters.retry(id)).toBe('rerun')
    const away = bench.fault({ operation: 'check_inbox' }, { status: 503 })
    const station = bench.work(() => 'it worked', { ledger, settings: SELECT })
    await until(() => station.all('poll.failed').length > 1, 'the service is away')
    expect(station.runs).toEqual([])
    away.remove()
    await station.seen('clink.rerunDone', id)
  })

  it('does so too once it is drained no more: it asks the service nothing', async () => {
    await using bench = await Bench.open({ switches: { identity: 'key' } })
    const { id, ledger } = await blocked(bench)
    const station = bench.work(() => 'it worked', { ledger, settings: SELECT })
    const { drain, pauses } = station.daemon.worker
    await until(() => isKept(station), 'it says so')
    await drain.begin({ by: 'alice' })
    await until(() => drain.isDone, 'it is drained')
    expect(await ledger.letters.retry(id)).toBe('rerun')
    station.daemon.retried(id)
    drain.end()
    await pauses.resume(undefined)
    await station.seen('clink.rerunDone', id)
  })
})
