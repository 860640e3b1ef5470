import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { systemBoot } from '../../../src/base/boot.ts'
import { Ledger } from '../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import type { Program } from '../../../src/ledger/programs.ts'
import { Bench, until, type WorkOptions } from '../../support/harness.ts'
import { story } from '../../support/record.ts'

/** Programs that do not heed their end until they are let go. */
class Undying {
  readonly killed: number[] = []
  #live: readonly number[]

  constructor(...live: number[]) {
    this.#live = live
  }

  async isAlive({ id }: { readonly id: number }): Promise<boolean> {
    return await Promise.resolve(this.#live.includes(id))
  }

  async end(group: { readonly id: number }): Promise<boolean> {
    const isAlive = await this.isAlive(group)
    if (isAlive) this.killed.push(group.id)
    return isAlive
  }

  letGo(): void {
    this.#live = []
  }
}

/** What the last process has noted: a program that it started for a clink. */
async function left(clinkId: string, change: Partial<Program> = {}): Promise<{ ledger: Ledger } & WorkOptions> {
  const ledger = new Ledger(memoryTables())
  await ledger.process.programs.note({
    clinkId,
    boot: systemBoot().id,
    group: { id: 4711, started: '1000', run: 'run-1' },
    ...change,
  })
  return { ledger, settings: { claim: { timeout: 2_000 } } }
}

describe.concurrent('P3, §4: a program that the last process has left behind', () => {
  it('ends before its clink is run, whose claim is renewed meanwhile; other clinks are run beside it', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 2 } })
    const groups = new Undying(4711)
    const id = bench.send('with a program')
    const options = await left(id)
    const station = bench.work(() => 'done', { ...options, groups })
    await bench.completed(bench.send('without one'))
    await until(() => station.all('clink.renewed', id).length >= 3, 'its claim is renewed beyond its first end')
    const before = { runs: station.runsOf(id).length, programs: options.ledger.process.programs.all().length }
    groups.letGo()
    await bench.completed(id)

    expect(before).toEqual({ runs: 0, programs: 1 })
    expect(groups.killed.length).toBeGreaterThan(1)
    expect(station.all('program.left')).toEqual([{ event: 'program.left', clinkId: id, group: 4711 }])
    expect(station.runsOf(id)).toHaveLength(1)
    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
    expect(options.ledger.process.programs.all()).toEqual([])
  })

  it('that has ended by itself delays nothing and is forgotten', async () => {
    await using bench = await Bench.open()
    const groups = new Undying()
    const id = bench.send('work')
    const options = await left(id)
    const station = bench.work(() => 'done', { ...options, groups })
    await bench.completed(id)

    expect(groups.killed).toEqual([])
    expect(station.all('program.left')).toEqual([])
    expect(options.ledger.process.programs.all()).toEqual([])
  })

  it.for([
    ['of another boot of the machine', { boot: 'another' }, true],
    ['of another worker, whose state this one is a copy of', {}, false],
  ] as const)('%s is not touched', async ([, change, isOurs]) => {
    await using bench = await Bench.open()
    const groups = new Undying(4711)
    const id = bench.send('work')
    const options = await left(id, change)
    bench.work(() => 'done', { ...options, isOurs, groups })
    await bench.completed(id)

    expect(groups.killed).toEqual([])
    expect(options.ledger.process.programs.all()).toEqual([])
  })

  it('stays noted when the worker is stopped before it has ended, and its clink is given back', async () => {
    await using bench = await Bench.open()
    const groups = new Undying(4711)
    const id = bench.send('work')
    const options = await left(id)
    const station = bench.work(() => 'done', { ...options, groups })
    await station.seen('clink.claimed', id)
    await station.daemon.stop('the test')

    expect(station.runs).toEqual([])
    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'released'])
    expect(options.ledger.process.programs.all()).toHaveLength(1)
  })

  it('keeps its clink, which waits for another try, from being given back by a drain until it has ended', async () => {
    await using bench = await Bench.open()
    const groups = new Undying(4711)
    const id = bench.send('with a program')
    const before = new Ledger(memoryTables())
    const fails = (): never => {
      throw new Error('not yet')
    }
    const settings = { retry: { attempts: 2, backoff: 60_000 } }
    const first = bench.work(fails, { ledger: before, settings })
    await first.seen('clink.held', id)
    const options = await left(id)
    for (const claim of before.process.claims()) await options.ledger.process.hold(claim)
    await options.ledger.process.note({ session: before.process.fact('session') ?? '' })
    const second = bench.work(() => 'done', { ...options, groups })
    await second.seen('clink.held', id)
    await second.daemon.worker.drain.begin({ by: 'somebody' })
    await delay(600)
    expect(story(bench.emulator, id)).toEqual(['created', 'claimed'])
    groups.letGo()
    await second.seen('clink.released', id)

    expect(options.ledger.process.programs.all()).toEqual([])
  })

  it('that cannot be ended is named, with what to do', async () => {
    await using bench = await Bench.open()
    const groups = new Undying(4711)
    const id = bench.send('work')
    const options = await left(id)
    const station = bench.work(() => 'done', { ...options, groups })
    const stays = await station.seen('program.stays')

    expect(stays).toMatchObject({ clinkId: id, group: 4711, advice: expect.stringContaining('kill -KILL -- -4711') })
    expect(station.runs).toEqual([])
  })
})
