import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Journal } from '../../../../src/journal/journal.ts'
import { tablesOf } from '../../../../src/journal/state.ts'
import { Ledger, type LedgerTables } from '../../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../../src/ledger/memory-tables.ts'
import type { StepTable } from '../../../../src/ledger/step-table.ts'
import { clink } from '../../../support/sample-records.ts'
import { open, type Health } from '../../../support/states.ts'
import { TempDir } from '../../../support/temp-dir.ts'
import { MINUTE, VirtualBench } from '../../../support/virtual.ts'

/** A store in which nothing is written until `mend` is called. */
function failing() {
  const tables = memoryTables()
  const mended = Promise.withResolvers<void>()
  let isHealthy = true
  const steps: StepTable = {
    of: async (id) => await tables.steps.of(id),
    drop: async (id) => await tables.steps.drop(id),
    delete: async (id, step) => await tables.steps.delete(id, step),
    set: async (id, step) => {
      await tables.steps.set(id, step)
      isHealthy = false
      await mended.promise
    },
  }
  const mend = (): void => {
    isHealthy = true
    mended.resolve()
  }
  return { tables: { ...tables, steps } satisfies LedgerTables, isHealthy: () => isHealthy, mend }
}

describe('P5, §4: while the journal cannot be written', () => {
  it('what comes after a step does not run, and no step begins', async () => {
    const { mend, ...store } = failing()
    const notes: string[] = []
    const bench = new VirtualBench({
      ...store,
      handle: async (_, ctx) => {
        const other = ctx.step('other', async () => await bench.take(10_000, ctx.signal))
        await ctx.step('one', () => notes.push('one'))
        notes.push('after one')
        await other
        await ctx.step('two', () => notes.push('two'))
      },
    })
    const id = bench.send('work')
    await bench.pass(MINUTE)
    expect(notes).toEqual(['one'])
    mend()
    await bench.pass(MINUTE)
    expect([notes, bench.emulator.clink(id)?.status]).toEqual([['one', 'after one', 'two'], 'completed'])
  })

  it('a step that would begin waits until it can be, and the log says so', async () => {
    let isHealthy = true
    const notes: string[] = []
    const bench = new VirtualBench({
      isHealthy: () => isHealthy,
      handle: async (_, ctx) => {
        isHealthy = ctx.attempt > 1
        await ctx.step('one', () => notes.push('one'))
      },
    })
    const id = bench.send('work')
    await bench.pass(MINUTE)
    expect([notes, bench.all('clink.log')]).toMatchObject([
      [],
      [{ level: 'warn', message: '"one" waits: the journal cannot be written' }],
    ])
    isHealthy = true
    await bench.pass(MINUTE)
    expect([notes, bench.emulator.clink(id)?.status]).toEqual([['one'], 'completed'])
  })

  it('a run that is aborted waits for none of it, and what its step came to is not lost', async () => {
    const { mend, ...store } = failing()
    const notes: string[] = []
    const bench = new VirtualBench({
      ...store,
      settings: { handlers: { timeout: 20_000 }, retry: { backoff: 1_000, attempts: 3 } },
      handle: async (_, ctx) => {
        await ctx.step('one', () => notes.push('one'))
        notes.push(`after one, attempt ${ctx.attempt}`)
      },
    })
    const id = bench.send('work')
    await bench.pass(30_000)
    expect(bench.all('clink.ended')).toMatchObject([{ reason: 'timeout: the handler ran longer than 20s' }])
    mend()
    await bench.pass(MINUTE)
    expect([notes, bench.emulator.clink(id)?.status]).toEqual([['one', 'after one, attempt 2'], 'completed'])
  })
})

describe('P5, §4: a step in the journal', () => {
  const step = { is: 'step', name: 'one', value: '{"n":1}' } as const
  const names = async ({ ledger }: { readonly ledger: Ledger }): Promise<readonly string[]> =>
    [...(await ledger.steps.of(clink)).values()].map(({ name, value }) => `${name} ${value}`)

  it('is there in the moment in which it is said to be kept', async () => {
    using directory = new TempDir()
    const state = open(directory.path)
    await state.ledger.steps.keep(clink, step)
    using file = new DatabaseSync(join(directory.path, 'journal.db'), { readOnly: true })
    expect(file.prepare('SELECT clink, kind, name, value FROM steps').all()).toEqual([
      { clink: clink.clink_id, kind: 'step', name: 'one', value: '{"n":1}' },
    ])
    state.close()
    const next = open(directory.path)
    expect(await names(next)).toEqual(['one {"n":1}'])
    await next.ledger.settled(clink)
    expect([await names(next), file.prepare('SELECT * FROM steps').all()]).toEqual([[], []])
    next.close()
  })

  it('is not said to be kept while it cannot be written, and is known all the same', { timeout: 20_000 }, async () => {
    using directory = new TempDir()
    const health: Health[] = []
    const state = open(directory.path, health)
    await state.ledger.steps.keep(clink, step)
    const said: string[] = []
    {
      using other = new DatabaseSync(join(directory.path, 'journal.db'))
      other.exec('BEGIN IMMEDIATE')
      void state.ledger.steps.keep(clink, { ...step, name: 'two' }).then(() => said.push('two'))
      void state.ledger.steps.forget(clink, step).then(() => said.push('forgotten'))
      await expect.poll(() => health.length, { timeout: 10_000 }).toBe(1)
      expect([said, await names(state)]).toEqual([[], ['two {"n":1}']])
    }
    await expect.poll(() => said, { timeout: 10_000 }).toEqual(['two', 'forgotten'])
    state.close()
    const next = open(directory.path)
    expect([await names(next), health.length]).toEqual([['two {"n":1}'], 2])
    next.close()
  })

  it('goes when nothing else is remembered of its clink, and not before', async () => {
    const DAY = 86_400_000
    using directory = new TempDir()
    const journal = new Journal({ directory: directory.path, sync: 'normal', onHealth: () => {} })
    let wall = Date.now()
    const ledger = new Ledger(
      tablesOf(journal),
      () => true,
      () => wall,
    )
    await ledger.begin({ letter: clink.clink_id })
    await ledger.steps.keep(clink, step)
    for (let day = 0; day < 20; day += 1) {
      wall += DAY / 2
      await ledger.sightings.looked(day < 6 ? [clink.clink_id] : [])
      await ledger.prune(2 * DAY)
      if (day === 8) expect(await names({ ledger })).toEqual(['one {"n":1}'])
    }
    expect(await names({ ledger })).toEqual([])
    journal.close()
  })
})
