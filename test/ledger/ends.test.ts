import { beforeEach, expect, it } from 'vitest'
import { Ledger } from '../../src/ledger/ledger.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'
import type { LedgerTables } from '../../src/ledger/tables.ts'
import { clink } from '../support/sample-records.ts'
import { claim, letter, recalled } from '../support/states.ts'

const { clink_id: id } = clink
const facts = { clink, route: 'work' }
const told = { ...letter, tell: 'complete' } as const

let now: number
let tables: LedgerTables
let ledger: Ledger

const step = { is: 'step', name: 'plan', value: '1' } as const
const steps = async () => (await ledger.steps.of(clink)).size
const row = () => tables.claims.get(id)

beforeEach(() => {
  now = 10_000
  tables = memoryTables()
  ledger = new Ledger(tables, undefined, () => now)
})

it('a start is held with its claim, and one that runs alone is noted as such (P9)', async () => {
  expect(await ledger.begin({ claim })).toBe(1)
  expect(row()).toEqual({ claim, attempts: { count: 1, crashes: 0, errors: [], at: now } })
  expect(ledger.process.fact('alone')).toBeUndefined()
  expect(await ledger.begin({ claim }, true)).toBe(2)
  expect(ledger.process.fact('alone')).toBe(id)
})

it('a start over a dead letter is a rerun that runs, and counts for that letter', async () => {
  await ledger.deadLetter({ ...told, rerun: { step: 'due' } })
  expect(await ledger.begin({ letter: id })).toBe(1)
  expect(ledger.letters.rerunOf(id)).toEqual({ step: 'running' })
  expect(tables.attempts.get(id)).toMatchObject({ count: 1, at: now, letter: told.at })
  expect(row()).toBeUndefined()
})

it('a change is noted with its time', async () => {
  await ledger.begin({ claim })
  now = 20_000
  await ledger.outcome(id, { is: 'outlived' })
  expect(row()?.attempts).toMatchObject({ count: 1, outlived: 1, at: 20_000 })
  now = 30_000
  await ledger.outcome(id, { is: 'survived' })
  expect(row()?.attempts?.at).toBe(20_000)
  await ledger.keepResult(clink, 'the result')
  expect(ledger.keptResult(clink)?.at).toBe(30_000)
})

it('a confirmed clink leaves nothing: no claim, no attempts, no result, no steps, and it is no more known as sent', async () => {
  await ledger.begin({ claim })
  await ledger.addOwn(id, 1)
  await ledger.keepResult(clink, 'the result')
  await ledger.steps.keep(clink, step)
  await ledger.settled(clink)
  expect([row(), ledger.attemptsOf(id).starts, ledger.keptResult(clink)]).toEqual([undefined, 0, undefined])
  expect([await steps(), (await recalled(ledger, id)).isOwn]).toEqual([0, false])
})

it('no steps are looked for of a clink of which there are none', async () => {
  let drops = 0
  tables.steps.drop = async () => await Promise.resolve(void (drops += 1))
  const memory = ledger.work(await recalled(ledger, id))
  await ledger.settled(clink)
  expect(drops).toBe(0)
  ledger.leave(memory)
  await ledger.settled(clink)
  expect(drops).toBe(1)
})

it('the steps of a dead letter stay when its sender is told, and go when the sender has the result', async () => {
  await ledger.deadLetter({ ...told, notice: 'it failed', rerun: { step: 'due' } })
  await ledger.process.hold(claim)
  await ledger.begin({ letter: id })
  await ledger.steps.keep(clink, step)
  await ledger.settled(clink)
  expect([await steps(), row(), ledger.attemptsOf(id).starts]).toEqual([1, undefined, 1])
  expect(ledger.letters.get(id)).not.toHaveProperty('notice')
  await ledger.settled(clink, 'sent')
  expect([await steps(), ledger.attemptsOf(id).starts, ledger.letters.has(id)]).toEqual([0, 0, false])
  expect(ledger.keptResult(clink)).toEqual({ content: clink.content, leases: 0, isSent: true, at: now })
})

it('a dead letter that nobody wants run again keeps no attempts when its sender is told', async () => {
  await ledger.deadLetter({ ...told, notice: 'it failed' })
  await ledger.outcome(id, { is: 'outlived' })
  await ledger.settled(clink)
  expect(ledger.attemptsOf(id).outlived).toBe(0)
})

it('a result that Clink refuses is kept for the operator, costs no attempt, and is no late one once Clink takes it', async () => {
  await ledger.begin({ claim })
  await ledger.keepResult(clink, 'the result')
  await ledger.settledElsewhere(facts)
  const late = { ...facts, attempt: 1, why: 'elsewhere', outcome: 'done', response: 'the result', at: now }
  expect(ledger.late.all()).toEqual([late])
  expect([ledger.attemptsOf(id).starts, ledger.keptResult(clink)]).toMatchObject([0, { isLate: true }])
  await ledger.settled(clink)
  expect(ledger.late.size).toBe(0)
})

it('a refused result of a clink that is confirmed otherwise is still the operator’s', async () => {
  await ledger.keepResult(clink, 'the result')
  await ledger.settledElsewhere(facts)
  await ledger.settled(clink, 'sent')
  expect(ledger.late.size).toBe(1)
  const other = { ...clink, clink_id: 'other' }
  await ledger.keepResult(other, 'the result')
  await ledger.settled(other)
  await ledger.late.keep({ ...facts, attempt: 1, why: 'elsewhere', outcome: 'done', at: now, clink: other })
  await ledger.keepResult(other, 'the result')
  await ledger.settled(other)
  expect(ledger.late.size).toBe(2)
})

it('a refused result says by which attempt it was made, and has no response where there is none', async () => {
  await ledger.keepResult(clink, undefined)
  await ledger.settledElsewhere({ ...facts, attempt: 7 })
  expect(ledger.late.all()).toEqual([{ ...facts, attempt: 7, why: 'elsewhere', outcome: 'done', at: now }])
})

it('a refusal of what was to be sent ends the notice of a dead letter, and without a result nothing is late', async () => {
  await ledger.deadLetter({ ...told, notice: 'it failed' })
  await ledger.settledElsewhere(facts)
  expect([ledger.letters.get(id), ledger.late.size]).toEqual([told, 0])
})

it('the result of a clink that is given up is kept where Clink may take it under a later claim', async () => {
  await ledger.keepResult(clink, 'the result')
  await ledger.failedLease(id, 1_000)
  await ledger.deadLetter(letter, true)
  expect(ledger.keptResult(clink)).toEqual({ content: clink.content, response: 'the result', leases: 0, at: now })
  await ledger.deadLetter(letter)
  expect(ledger.keptResult(clink)).toBeUndefined()
  await ledger.deadLetter(letter, true)
  expect(ledger.keptResult(clink)).toBeUndefined()
})

it('leases that fail count for how long they do: of a result, or of the notice of a dead letter', async () => {
  await ledger.keepResult(clink, 'the result')
  expect(await ledger.failedLease(id, 1_000)).toEqual({ leases: 1, over: 1_000 })
  now += 5_000
  expect(await ledger.failedLease(id, 500)).toEqual({ leases: 2, over: 6_000 })
  await ledger.deadLetter({ ...told, notice: 'it failed' }, true)
  expect(await ledger.failedLease(id, 2_000)).toEqual({ leases: 1, over: 2_000 })
  expect(ledger.keptResult(clink)?.leases).toBe(0)
})

it('the work on a clink sees what becomes of its letter', async () => {
  const memory = ledger.work(await recalled(ledger, id))
  await ledger.deadLetter(letter)
  expect(memory.letter).toEqual(letter)
  await ledger.retry(id)
  expect(memory.letter).toBeUndefined()
})

it('clinks that are left alone wait in the inbox until they have cooled down, and dead letters may', async () => {
  expect(ledger.hasLeftAlone(now)).toBe(false)
  await ledger.cooling.set(id, 1_000)
  now += 400
  expect((await recalled(ledger, id)).coolsFor).toBe(600)
  now -= 400
  expect([ledger.hasLeftAlone(now), ledger.hasLeftAlone(now + 1_000)]).toEqual([true, false])
  expect([ledger.cooling.hasBetween(now, now + 999), ledger.cooling.hasBetween(now, now + 1_000)]).toEqual([
    false,
    true,
  ])
  await ledger.deadLetter(letter)
  expect(ledger.hasLeftAlone(now + 1_000)).toBe(true)
})

it('what nobody will ask for any more is forgotten: cooling that is over, and late results that are old', async () => {
  const late = { ...facts, attempt: 1, why: 'late', outcome: 'done' } as const
  await ledger.cooling.set('over', 1_000)
  await ledger.cooling.set('cools', 9_000)
  await ledger.late.keep({ ...late, at: now })
  await ledger.late.keep({ ...late, at: now + 1 })
  now += 5_000
  await ledger.prune(5_000)
  expect([tables.cooling.get('over'), tables.cooling.get('cools')?.for]).toEqual([undefined, 9_000])
  expect(ledger.late.all().map(({ at }) => at)).toEqual([now - 4_999])
})
