import { describe, expect, it } from 'vitest'
import { Ledger } from '../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { Bench, until, type Station } from '../../support/harness.ts'
import { story } from '../../support/record.ts'

const settings = { inbox: { claim: 'batch' }, claim: { timeout: 300_000 } } as const

/** What a start finds of a process that was killed at this moment. */
async function copyOf(ledger: Ledger, isKept?: () => boolean): Promise<Ledger> {
  const copy = new Ledger(memoryTables(), isKept)
  await copy.process.note({ session: ledger.process.fact('session') ?? '' })
  for (const claim of ledger.process.parked()) await copy.process.park(claim)
  return copy
}

/** A worker that has parked what no route of it takes. */
async function parked(bench: Bench, ids: readonly string[]): Promise<Ledger> {
  const ledger = new Ledger(memoryTables())
  const before = bench.work(() => 'done', { ledger, settings, takes: () => false })
  await until(() => before.all('clink.parked').length === ids.length, 'all are parked')
  return ledger
}

async function resumed(station: Station): Promise<void> {
  await until(() => station.all('worker.resumed').length > 0, 'it has looked at the claims')
}

describe.concurrent('P8, §7: a parked claim of a process that was killed', () => {
  it('is parked by the next one as well, for what it was, and given back by its stop', async () => {
    await using bench = await Bench.open()
    const ids = [bench.send('one'), bench.send('two')]
    const ledger = await copyOf(await parked(bench, ids))
    const after = bench.work(() => 'done', { ledger, settings, takes: () => false })
    await resumed(after)

    expect(after.all('worker.resumed')).toMatchObject([{ claims: 2, gone: 0 }])
    expect(after.daemon.snapshot().parked).toBe(2)
    for (const id of ids) expect(after.all('clink.parked', id)).toMatchObject([{ why: 'no-route', again: false }])
    await after.daemon.stop('test')
    expect(after.all('worker.stopped')).toMatchObject([{ leftBehind: [] }])
    for (const id of ids) expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'released'])
    expect(ledger.process.parked()).toEqual([])
  })

  it('is given back at once where the next one takes its clink', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    const ledger = await copyOf(await parked(bench, [id]))
    const after = bench.work(() => 'done', { ledger, settings })
    await bench.completed(id)

    expect(after.all('clink.released', id)).toMatchObject([{ why: 'parked' }])
    await until(() => ledger.process.parked().length === 0, 'nothing is parked')
  })

  it.each([
    { answer: { status: 429, headers: { 'retry-after': '60' } }, claims: 1, last: 'released' },
    { answer: { hang: 'before' }, claims: 0, last: 'claimed' },
  ] as const)(
    'is held on to after a stop where the service surely did not take its release: $answer',
    async ({ answer, claims, last }) => {
      await using bench = await Bench.open()
      const ledger = new Ledger(memoryTables())
      const fault = bench.fault({ operation: 'release_clink' }, answer)
      const id = bench.send('work')
      const shutdown = { timeout: 1_500, drain: 200 }
      const before = bench.work(() => 'done', { ledger, settings: { ...settings, shutdown }, takes: () => false })
      await before.seen('clink.parked', id)
      await before.daemon.stop('test')
      expect(before.all('worker.stopped')).toMatchObject([{ leftBehind: [id] }])
      expect(ledger.process.parked()).toHaveLength(claims)
      fault.remove()
      const after = bench.work(() => 'done', { ledger, settings, takes: () => false })
      if (claims > 0) await resumed(after)
      await after.seen('worker.ready')
      await after.daemon.stop('test')
      expect(after.all('clink.released', id)).toHaveLength(claims)
      expect(story(bench.emulator, id).at(-1)).toBe(last)
    },
  )

  it('is left to its end where the journal cannot be written: it would be given back once more by the next', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    const ledger = await copyOf(await parked(bench, [id]), () => false)
    const after = bench.work(() => 'done', { ledger, settings, takes: () => false })
    await resumed(after)
    await after.daemon.stop('test')

    expect(after.all('clink.leftToExpire', id)).toMatchObject([{ why: expect.stringContaining('cannot be written') }])
    expect(story(bench.emulator, id)).toEqual(['created', 'claimed'])
  })

  it('is forgotten where it does not stand any more', async () => {
    await using bench = await Bench.open()
    const ledger = await copyOf(await parked(bench, [bench.send('work')]))
    const [claim] = ledger.process.parked()
    if (claim === undefined) throw new Error('a claim is parked')
    await ledger.process.park({ ...claim, boot: 'another' })
    const after = bench.work(() => 'done', { ledger, settings, takes: () => false })
    await resumed(after)

    expect(after.all('worker.resumed')).toMatchObject([{ claims: 0, gone: 1 }])
    expect([after.daemon.snapshot().parked, ledger.process.parked()]).toEqual([0, []])
  })

  it('is forgotten where what is remembered is another worker’s', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    const ledger = await copyOf(await parked(bench, [id]))
    const after = bench.work(() => 'done', { ledger, settings, takes: () => false, isOurs: false })
    await after.seen('worker.ready')
    await after.daemon.stop('test')

    expect([ledger.process.parked(), story(bench.emulator, id)]).toEqual([[], ['created', 'claimed']])
  })
})

it('§7: what is parked is in the journal until it is over: its claim ran out, or its clink is worked', async () => {
  await using bench = await Bench.open({ switches: { defaultTimeout: 3 } })
  const ledger = new Ledger(memoryTables())
  let isTaken = false
  const station = bench.work(() => 'done', {
    ledger,
    settings: { inbox: { claim: 'batch' }, claim: { timeout: 3_000 } },
    takes: () => isTaken,
  })
  const id = bench.send('work')
  await station.seen('clink.parked', id)
  expect(ledger.process.parked()).toMatchObject([{ clink: { clink_id: id }, why: 'no-route' }])
  isTaken = true
  await bench.completed(id)
  expect(ledger.process.parked()).toEqual([])
})
