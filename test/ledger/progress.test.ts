import { beforeEach, describe, expect, it } from 'vitest'
import { Memory } from '../../src/ledger/memory.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'
import { Progress } from '../../src/ledger/progress.ts'
import { NONE, type Attempts, type KeptResult } from '../../src/ledger/remembered.ts'
import type { LedgerTables } from '../../src/ledger/tables.ts'
import { clink } from '../support/sample-records.ts'
import { claim } from '../support/states.ts'

const { clink_id: id } = clink
const tried: Attempts = { count: 1, errors: ['it failed'], crashes: 0, at: 1_000 }
const triedTwice: Attempts = { ...tried, count: 2 }
const result: KeptResult = { response: 'the result', content: clink.content, leases: 0, at: 1_000 }
const other: KeptResult = { ...result, response: 'another one' }
const byOthers = { attempts: NONE, begun: [], overLetters: [] }

let tables: LedgerTables
let told: string[]
let progress: Progress

/** What a fleet is told, in order. */
function fleetWith(known: 'none' | undefined) {
  return {
    of: () => known,
    outdated: (clinkId: string) => void told.push(`outdated ${clinkId}`),
    changed: (clinkId: string, what: string, _: unknown, isNew = false) =>
      void told.push(`${isNew ? 'new ' : ''}${what} of ${clinkId}`),
    outlives: (clinkId: string) => void told.push(`${clinkId} outlives its claim`),
    over: async (clinkId: string) => await Promise.resolve(void told.push(`${clinkId} is over`)),
    begun: async (clinkId: string, here: Promise<void>) => {
      await here
      told.push(`${clinkId} is begun`)
    },
  }
}

const memory = (kept: ConstructorParameters<typeof Memory>[1] = {}): Memory =>
  new Memory(id, kept, { coolsFor: 0, isOwn: false })
const row = () => tables.claims.get(id)
/** What outlives a claim. */
const left = () => [tables.attempts.get(id), tables.results.get(id)]

beforeEach(() => {
  tables = memoryTables()
  told = []
  progress = new Progress(tables)
})

describe('what has come of a clink', () => {
  it('is in the row of its claim as long as there is one, and in rows of its own afterwards', async () => {
    await progress.hold(claim, tried)
    await progress.setResult(id, result)
    expect(row()).toEqual({ claim, attempts: tried, result })
    await progress.setAttempts(id, triedTwice)
    await progress.hold({ ...claim, releasing: true })
    expect(row()).toEqual({ claim: { ...claim, releasing: true }, attempts: triedTwice, result })
    expect([left(), progress.attemptsOf(id), progress.resultOf(id)]).toEqual([
      [undefined, undefined],
      triedTwice,
      result,
    ])
    await progress.release(id)
    expect([row(), left()]).toEqual([undefined, [triedTwice, result]])
    expect([progress.attemptsOf(id), progress.resultOf(id)]).toEqual([triedTwice, result])
    await progress.setAttempts(id, tried)
    await progress.setResult(id, other)
    expect([row(), left()]).toEqual([undefined, [tried, other]])
  })

  it('is nothing where there is nothing', async () => {
    expect([progress.attemptsOf(id), progress.resultOf(id), progress.memoryOf(id)]).toEqual([
      NONE,
      undefined,
      undefined,
    ])
    await progress.hold(claim)
    await progress.release(id)
    await progress.release(id)
    expect([row(), left()]).toEqual([undefined, [undefined, undefined]])
  })

  it('keeps what outlived an earlier claim until this one has something of its own', async () => {
    await progress.setAttempts(id, tried)
    await progress.setResult(id, result)
    await progress.hold(claim)
    expect([progress.attemptsOf(id), progress.resultOf(id)]).toEqual([tried, result])
    await progress.release(id)
    expect(left()).toEqual([tried, result])
  })

  it.each([
    { kept: undefined, isHeld: false },
    { kept: other, isHeld: false },
    { kept: undefined, isHeld: true },
    { kept: other, isHeld: true },
  ])('is forgotten by a reset, but for $kept.response, held: $isHeld', async ({ isHeld, kept }) => {
    await progress.setAttempts(id, tried)
    await progress.setResult(id, result)
    if (isHeld) await progress.hold(claim, triedTwice)
    const worked = progress.work(memory({ attempts: tried, result }))
    await progress.reset(id, kept)
    expect(row()).toStrictEqual(isHeld ? { claim, ...(kept && { result: kept }) } : undefined)
    expect(left()).toEqual([undefined, isHeld ? undefined : kept])
    expect([worked.attempts, worked.result]).toEqual([NONE, kept])
  })

  it.each([undefined, other])(
    'is forgotten with its claim at the end, but for what may be sent again: %o',
    async (kept) => {
      await progress.setAttempts(id, tried)
      await progress.setResult(id, result)
      await progress.hold(claim, triedTwice)
      const worked = progress.work(memory({ attempts: tried, result }))
      await progress.end(id, kept)
      expect([row(), left()]).toEqual([undefined, [undefined, kept]])
      expect([worked.attempts, worked.result]).toEqual([NONE, kept])
    },
  )

  it.each([true, false])('is forgotten where only the others know of it any more, held: %s', async (isHeld) => {
    await progress.setAttempts(id, tried)
    await progress.setResult(id, result)
    if (isHeld) await progress.hold(claim, triedTwice)
    const worked = progress.work(memory({ attempts: tried, result }))
    progress.forget(id)
    expect([row(), left()]).toEqual([isHeld ? { claim } : undefined, [undefined, undefined]])
    expect([worked.attempts, worked.result]).toEqual([NONE, undefined])
  })

  it.each([{ attempts: tried }, { result }])('is forgotten also where it is only %o', async (kept) => {
    if (kept.attempts !== undefined) await progress.setAttempts(id, kept.attempts)
    if (kept.result !== undefined) await progress.setResult(id, kept.result)
    progress.forget(id)
    expect(left()).toEqual([undefined, undefined])
  })

  it('is not written where there is nothing to forget', async () => {
    await progress.hold(claim)
    const before = row()
    progress.forget(id)
    expect(row()).toBe(before)
  })
})

describe('the memory of a clink that is worked', () => {
  it('is one for all who work it, until the last one leaves', async () => {
    const first = progress.work(memory({ attempts: tried, result }))
    expect(progress.work(memory())).toBe(first)
    expect([progress.memoryOf(id), progress.attemptsOf(id), progress.resultOf(id)]).toEqual([first, tried, result])
    progress.leave(first)
    expect(progress.memoryOf(id)).toBe(first)
    await progress.setAttempts(id, triedTwice)
    await progress.setResult(id, other)
    expect([first.attempts, first.result]).toEqual([triedTwice, other])
    await progress.hold(claim, tried)
    expect(first.attempts).toEqual(tried)
    progress.leave(first)
    expect(progress.memoryOf(id)).toBeUndefined()
  })

  it('says whether there may be steps of it, and where it is not worked there may', () => {
    expect(progress.mayHaveSteps(id)).toBe(true)
    const fresh = progress.work(memory())
    expect(progress.mayHaveSteps(id)).toBe(false)
    progress.leave(fresh)
    progress.work(memory({ attempts: tried }))
    expect(progress.mayHaveSteps(id)).toBe(true)
  })

  it.each([
    { fleet: false, known: undefined, was: true, isCurrent: true },
    { fleet: false, known: undefined, was: false, isCurrent: false },
    { fleet: true, known: 'none', was: true, isCurrent: true },
    { fleet: true, known: 'none', was: false, isCurrent: false },
    { fleet: true, known: undefined, was: true, isCurrent: false },
  ] as const)(
    'is current: $isCurrent, in a fleet: $fleet, that has read $known',
    ({ fleet, isCurrent, known, was }) => {
      if (fleet) progress = new Progress(tables, fleetWith(known))
      const one = memory()
      one.isCurrent = was
      expect(progress.work(one).isCurrent).toBe(isCurrent)
    },
  )
})

describe('a fleet', () => {
  beforeEach(() => {
    progress = new Progress(tables, fleetWith('none'))
  })

  it('is told of a start once that is written here, and of what has come of it', async () => {
    await progress.hold(claim)
    expect(told).toEqual([])
    await progress.hold(claim, tried)
    await progress.setAttempts(id, triedTwice)
    await progress.setResult(id, result)
    await progress.release(id)
    await progress.release(id)
    expect(told).toEqual([`${id} is begun`, `attempts of ${id}`, `result of ${id}`, `${id} outlives its claim`])
    await progress.setAttempts(id, tried, true)
    expect(told.at(-1)).toBe(`new attempts of ${id}`)
  })

  it('is told that a clink is over, where anything has come of it', async () => {
    await progress.hold(claim)
    const nothing = progress.work(memory())
    await progress.end(id)
    expect(told).toEqual([])
    progress.leave(nothing)
    expect(told).toEqual([`outdated ${id}`])

    for (const kept of [{ attempts: tried }, { result }]) {
      told = []
      const worked = progress.work(memory(kept))
      await progress.end(id)
      expect(told).toEqual([`${id} is over`])
      progress.leave(worked)
    }
    told = []
    const worked = progress.work(memory())
    worked.takeOthers(byOthers)
    await progress.end(id)
    expect(told).toEqual([`${id} is over`])
    expect(worked.others).toBeUndefined()
  })

  it('is told so as well of a clink that nobody works', async () => {
    await progress.end(id)
    await progress.setAttempts(id, tried)
    told = []
    await progress.end(id)
    expect(told).toEqual([`${id} is over`])
  })

  it('is told of a reset, whatever has come of the clink, and what the others have done counts no more', async () => {
    const worked = progress.work(memory())
    worked.takeOthers(byOthers)
    await progress.reset(id)
    expect([told, worked.others]).toEqual([[`${id} is over`], undefined])
  })

  it('knows already what is forgotten here alone', async () => {
    await progress.setAttempts(id, tried)
    told = []
    progress.forget(id)
    expect(told).toEqual([])
  })
})
