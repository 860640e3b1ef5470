import { beforeEach, describe, expect, it } from 'vitest'
import { Ledger } from '../../src/ledger/ledger.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'
import type { ByOthers } from '../../src/ledger/fleet.ts'
import { NONE } from '../../src/ledger/remembered.ts'
import { noLimits } from '../support/memory-limits.ts'
import { clink } from '../support/sample-records.ts'
import { nothingByOthers, ScriptedFleet } from '../support/scripted-fleet.ts'
import { claim, letter, recalled } from '../support/states.ts'

const { clink_id: id } = clink
const NOW = 10_000

let isKept: boolean
let fleet: ScriptedFleet
let ledger: Ledger

const alone = (): Ledger => new Ledger(memoryTables(), () => isKept)
const recallOne = async (which = id) => (await ledger.recall([which]))(which)

beforeEach(() => {
  isKept = true
  fleet = new ScriptedFleet()
  ledger = new Ledger(
    fleet.tables,
    () => isKept,
    () => NOW,
    () => NOW,
    fleet,
  )
})

describe('the ledger of a member of a fleet', () => {
  it('has what a fleet shares, and that of a worker alone has not', () => {
    expect([ledger.fleetLimits, ledger.fleetPauses?.seen]).toEqual([noLimits, fleet.pauses])
    expect([alone().fleetLimits, alone().fleetPauses]).toEqual([undefined, undefined])
  })

  it('keeps the pauses of the fleet apart from those of this worker', async () => {
    await ledger.fleetPauses?.kept.set({ by: 'alice', at: 1 })
    expect([ledger.fleetPauses?.kept.all(), ledger.pauses.all()]).toEqual([[{ by: 'alice', at: 1 }], []])
    await ledger.pauses.set({ by: 'bob', at: 2 })
    expect(ledger.fleetPauses?.kept.all()).toEqual([{ by: 'alice', at: 1 }])
  })

  it('is healthy while what happens here is kept and the fleet is within reach', () => {
    expect([ledger.isHealthy, alone().isHealthy, new Ledger(memoryTables()).isHealthy]).toEqual([true, true, true])
    fleet.isHealthy = false
    expect(ledger.isHealthy).toBe(false)
    fleet.isHealthy = true
    isKept = false
    expect([ledger.isHealthy, alone().isHealthy]).toEqual([false, false])
  })

  it('recalls what a page shows in one query, and nothing that was not named', async () => {
    await fleet.tables.cooling.set('b', { at: NOW + 500, for: 500 })
    await fleet.tables.own.set('a', 1)
    const memories = await ledger.recall(['a', 'b'])
    expect(fleet.told).toEqual(['recall a, b'])
    expect([memories('a'), memories('b')]).toMatchObject([
      { clinkId: 'a', isOwn: true, coolsFor: 0 },
      { clinkId: 'b', isOwn: false, coolsFor: 500 },
    ])
    expect(() => memories('c')).toThrow('nothing was recalled of c')
  })

  it('counts the starts of others, and forgets its own where another one has given the clink up', async () => {
    await ledger.begin({ claim })
    await ledger.begin({ claim })
    fleet.others.set(id, { ...nothingByOthers, attempts: { ...NONE, count: 3 } })
    expect((await recallOne()).tried.starts).toBe(5)
    fleet.givenUp.add(id)
    expect((await recallOne()).tried.starts).toBe(3)
    expect(ledger.attemptsOf(id).starts).toBe(0)
  })

  it('numbers a start after those of others', async () => {
    expect(await ledger.begin({ claim })).toBe(1)
    fleet.others.set(id, { ...nothingByOthers, attempts: { ...NONE, count: 3 } })
    ledger.work(await recallOne())
    expect(await ledger.begin({ claim })).toBe(5)
  })

  it('gives those that work a clink one memory, which is up to date until they leave it', async () => {
    const memory = ledger.work(await recallOne())
    expect(ledger.work(await recallOne())).toBe(memory)
    await ledger.cooling.set(id, 700)
    await ledger.addOwn(id, 1)
    expect([await recallOne(), memory.coolsFor, memory.isOwn]).toEqual([memory, 700, true])
    ledger.leave(memory)
    ledger.leave(memory)
    expect(await recallOne()).not.toBe(memory)
  })

  it('recalls a clink that is kept with all that is kept of it', async () => {
    await ledger.begin({ claim })
    await ledger.keepResult(clink, 'the result')
    expect(await recalled(ledger, id)).toMatchObject({ attempts: { count: 1 }, result: { response: 'the result' } })
    await ledger.deadLetter(letter)
    expect((await recallOne()).letter).toEqual(letter)
  })

  it('knows as given back by a handler what others are to know, and a worker alone needs no such note', async () => {
    await ledger.begin({ claim })
    await ledger.outcome(id, { is: 'given-back-by-handler' })
    expect(ledger.attemptsOf(id).released).toBe(1)
    const other = alone()
    await other.begin({ claim })
    await other.outcome(id, { is: 'given-back-by-handler' })
    expect(other.attemptsOf(id).released).toBe(0)
  })

  it('leaves a rerun to others once its only start here is taken back', async () => {
    const rerun = { step: 'due', by: 'two' } as const
    const told = { ...letter, tell: 'complete' } as const
    for (const starts of [1, 2]) {
      await ledger.deadLetter({ ...told, rerun: { step: 'due', by: 'one' } })
      for (let n = 0; n < starts; n += 1) await ledger.begin({ letter: id })
      ledger.letters.begun(id)
      fleet.change(id, { ...told, rerun })
      await ledger.outcome(id, { is: 'not-counted' })
      expect(ledger.letters.reruns()).toHaveLength(starts - 1)
    }
  })

  it('knows whether the fleet was told of a clink; a worker alone has told all', () => {
    expect([ledger.isTold(id), alone().isTold(id)]).toEqual([true, true])
    fleet.untold.add(id)
    expect([ledger.isTold(id), ledger.isTold('other')]).toEqual([false, true])
  })

  it('begins a part of its own with a start over a letter, and goes on with it over a claim', async () => {
    await ledger.deadLetter({ ...letter, tell: 'complete', rerun: { step: 'due', by: 'one' } })
    await ledger.begin({ claim: { ...claim, clink: { ...clink, clink_id: 'other' } } })
    expect(fleet.begins).toEqual([])
    await ledger.begin({ letter: id })
    expect(fleet.begins).toEqual([id])
  })

  it('keeps with a letter a result that Clink did not take, also where another member has computed it (P5)', async () => {
    const result = { content: clink.content, leases: 2, failedAt: 1, at: NOW, response: 'computed there' }
    fleet.others.set(id, { ...nothingByOthers, result })
    await ledger.deadLetter(letter)
    expect([fleet.told.includes(`recall ${id}`), ledger.keptResult(clink)]).toEqual([false, undefined])
    await ledger.deadLetter(letter, true)
    expect(fleet.told).toContain(`recall ${id}`)
    expect(ledger.keptResult(clink)).toMatchObject({ response: 'computed there', leases: 0 })
  })

  it('keeps with it also one that the fleet has forgotten since it was read for the claim (P5)', async () => {
    const result = { content: clink.content, leases: 0, at: NOW, response: 'computed there' }
    fleet.others.set(id, { ...nothingByOthers, result })
    const memory = ledger.work(await recallOne())
    fleet.others.set(id, nothingByOthers)
    await ledger.deadLetter(letter, true)
    ledger.leave(memory)
    expect(ledger.keptResult(clink)).toMatchObject({ response: 'computed there' })
  })

  it('lets the fleet forget what is older than what is kept', async () => {
    await ledger.prune(5_000)
    expect(fleet.told).toEqual(['prune 5000'])
  })
})

describe('the handler of a clink in hand', () => {
  it('may start where what is remembered of it is known, and what comes of it will be', async () => {
    const memory = ledger.work(await recallOne())
    expect(ledger.mayStart(memory)).toBe(true)
    fleet.isHealthy = false
    expect(ledger.mayStart(memory)).toBe(false)
    fleet.isHealthy = true
    memory.isCurrent = false
    expect(ledger.mayStart(memory)).toBe(false)
  })

  it('does not start for a rerun that is another one’s (P3)', async () => {
    await ledger.deadLetter({ ...letter, tell: 'complete', rerun: { step: 'due', by: 'one' } })
    const memory = ledger.work(await recallOne())
    expect(ledger.mayStart(memory)).toBe(true)
    fleet.change(id, { ...letter, tell: 'complete', rerun: { step: 'due', by: 'two' } })
    expect(ledger.mayStart(memory)).toBe(false)
  })

  it('waits until what the fleet remembers of it was read again', async () => {
    const memory = ledger.work(await recallOne())
    ledger.outdated(id)
    expect(ledger.mayStart(ledger.work(await recallOne()))).toBe(false)
    await ledger.refresh(memory)
    expect(memory.isCurrent).toBe(false)
    fleet.others.set(id, { ...nothingByOthers, attempts: { ...NONE, count: 1 } })
    await ledger.refresh(memory)
    expect([memory.isCurrent, memory.tried.starts]).toEqual([true, 1])
  })

  it('keeps under its claim the starts that the fleet forgets meanwhile, since somebody has settled the clink (P5)', async () => {
    const started = (count: number): ByOthers => ({ ...nothingByOthers, attempts: { ...NONE, count } })
    fleet.others.set(id, started(2))
    const memory = ledger.work(await recallOne())
    ledger.outdated(id)
    const again = ledger.refresh(memory)
    fleet.others.set(id, started(1))
    await again
    expect([memory.isCurrent, memory.tried.starts]).toEqual([true, 2])
    ledger.leave(memory)
    fleet.others.set(id, started(1))
    expect((await recallOne()).tried.starts).toBe(1)
  })

  it('keeps them also where it could not be read in between (P10)', async () => {
    const mine = { ...NONE, count: 1, at: NOW }
    await fleet.tables.attempts.set(id, mine)
    fleet.others.set(id, { ...nothingByOthers, attempts: { ...NONE, count: 2 } })
    const memory = ledger.work(await recallOne())
    ledger.outdated(id)
    await ledger.refresh(memory)
    expect(memory.isCurrent).toBe(false)
    fleet.givenUp.add(id)
    fleet.others.set(id, nothingByOthers)
    await ledger.refresh(memory)
    expect([memory.isCurrent, memory.tried.starts]).toEqual([true, 3])
  })

  it('has the starts that are known when it is first read under its claim, and none of before (P10)', async () => {
    fleet.others.set(id, { ...nothingByOthers, attempts: { ...NONE, count: 2 } })
    const recalled = await recallOne()
    ledger.outdated(id)
    const memory = ledger.work(recalled)
    await ledger.refresh(memory)
    fleet.others.set(id, nothingByOthers)
    await ledger.refresh(memory)
    expect([memory.isCurrent, memory.tried.starts]).toEqual([true, 0])
  })

  it('sends a result that another member has kept since what was known before was forgotten (P5)', async () => {
    const result = { content: clink.content, leases: 0, at: NOW, response: 'kept since' }
    fleet.others.set(id, { ...nothingByOthers, attempts: { ...NONE, count: 2 } })
    const memory = ledger.work(await recallOne())
    ledger.outdated(id)
    const again = ledger.refresh(memory)
    fleet.others.set(id, { ...nothingByOthers, attempts: { ...NONE, count: 1 }, result })
    await again
    expect([memory.tried.starts, memory.unconfirmed(clink)?.response]).toEqual([2, 'kept since'])
  })

  it('sends under its claim a result that the fleet forgets meanwhile, and computes none (P5)', async () => {
    const result = { content: clink.content, leases: 0, at: NOW, response: 'computed once' }
    fleet.others.set(id, { ...nothingByOthers, result })
    const memory = ledger.work(await recallOne())
    ledger.outdated(id)
    const again = ledger.refresh(memory)
    fleet.others.set(id, nothingByOthers)
    await again
    expect([memory.isCurrent, memory.unconfirmed(clink)?.response]).toEqual([true, 'computed once'])
  })

  it('is read again only where it is not known, or where no claim keeps others from it', async () => {
    const memory = ledger.work(await recallOne())
    fleet.told.length = 0
    await ledger.refresh(memory)
    expect(fleet.told).toEqual([])
    await ledger.refresh(memory, true)
    expect([fleet.told, memory.isCurrent]).toEqual([[`outdated ${id}`, `recall ${id}`], false])
  })

  it('is known to a worker alone all the time', async () => {
    const one = alone()
    const memory = one.work((await one.recall([id]))(id))
    await one.refresh(memory, true)
    one.outdated(id)
    expect([memory.isCurrent, one.isCurrent(memory), one.mayStart(memory)]).toEqual([true, true, true])
  })
})
