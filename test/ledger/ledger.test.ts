import { describe, expect, it } from 'vitest'
import { Ledger } from '../../src/ledger/ledger.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'
import { clink } from '../support/sample-records.ts'
import { TempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { claim, letter, open, recalled } from '../support/states.ts'

const id = clink.clink_id
const changed = { ...clink, content: 'something else' }

// What the rest of the worker asks must be answered alike, with a state directory and without one.
describe.each([
  ['in a state directory', (directory: string) => open(directory)],
  ['in memory', () => ({ ledger: new Ledger(memoryTables()), close: () => {} })],
])('the ledger %s', (_, make) => {
  async function use(work: (ledger: Ledger) => Promise<void>): Promise<void> {
    using directory = new TempDir()
    const { ledger, ...state } = make(directory.path)
    try {
      await work(ledger)
    } finally {
      state.close()
    }
  }

  it('counts the starts of each clink by itself', async () => {
    await use(async (ledger) => {
      expect(await ledger.begin({ letter: 'a' })).toBe(1)
      expect(await ledger.begin({ letter: 'a' })).toBe(2)
      expect(await ledger.begin({ letter: 'b' })).toBe(1)
    })
  })

  it('counts the dead letters that wait for somebody', async () => {
    await use(async (ledger) => {
      const other = { ...letter, clink: { ...clink, clink_id: 'other' } }
      await Promise.all([ledger.deadLetter(letter), ledger.deadLetter(other)])
      expect(ledger.letters.count).toBe(2)
      const discarded = ledger.letters.discard('other')
      // It is not written yet.
      expect(ledger.letters.count).toBe(1)
      await discarded
      expect(ledger.letters.count).toBe(1)
      // Those that are run again wait for nobody, unless that comes to no end.
      await ledger.deadLetter({ ...letter, tell: 'complete', rerun: { step: 'due' } })
      expect(ledger.letters.count).toBe(0)
      await ledger.letters.noteRerun(clink.clink_id, { step: 'unknown', response: 'done' }, 'not answered')
      expect(ledger.letters.count).toBe(1)
    })
  })

  it('takes a start back, and never below none', async () => {
    await use(async (ledger) => {
      await ledger.begin({ letter: 'a' })
      await ledger.begin({ letter: 'a' })
      await ledger.outcome('a', { is: 'not-counted' })
      expect(await ledger.begin({ letter: 'a' })).toBe(2)
      await ledger.outcome('b', { is: 'not-counted' })
      await ledger.outcome('b', { is: 'not-counted' })
      expect(await ledger.begin({ letter: 'b' })).toBe(1)
    })
  })

  it('excuses a start without taking its number back', async () => {
    await use(async (ledger) => {
      await ledger.begin({ letter: 'a' })
      await ledger.outcome('a', { is: 'excused' })
      expect([ledger.attemptsOf('a').excused, ledger.attemptsOf('b').excused]).toEqual([1, 0])
      expect(await ledger.begin({ letter: 'a' })).toBe(2)
    })
  })

  it('excuses no other start in the place of one that was taken back', async () => {
    await use(async (ledger) => {
      await ledger.begin({ letter: 'a' })
      await ledger.begin({ letter: 'a' })
      await ledger.outcome('a', { is: 'not-counted' })
      await ledger.outcome('a', { is: 'excused' })
      expect([ledger.attemptsOf('a').starts, ledger.attemptsOf('a').excused]).toEqual([1, 0])
      await ledger.begin({ letter: 'a' })
      await ledger.outcome('a', { is: 'excused' })
      expect([ledger.attemptsOf('a').starts, ledger.attemptsOf('a').excused]).toEqual([2, 1])
    })
  })

  it('counts the claims that each clink outlived, until it is settled or a dead letter', async () => {
    await use(async (ledger) => {
      await ledger.begin({ letter: id })
      await ledger.outcome(id, { is: 'outlived' })
      await ledger.outcome(id, { is: 'outlived' })
      await ledger.outcome('other', { is: 'outlived' })
      expect([
        ledger.attemptsOf(id).outlived,
        ledger.attemptsOf('other').outlived,
        ledger.attemptsOf('b').outlived,
      ]).toEqual([2, 1, 0])
      expect([ledger.attemptsOf(id).starts, ledger.attemptsOf('other').starts]).toEqual([1, 0])
      await ledger.deadLetter(letter)
      await ledger.settled({ ...clink, clink_id: 'other' })
      expect([ledger.attemptsOf(id).outlived, ledger.attemptsOf('other').outlived]).toEqual([0, 0])
    })
  })

  it('keeps the last ten errors, oldest first, and the starts beside them', async () => {
    await use(async (ledger) => {
      await ledger.begin({ letter: 'a' })
      for (let n = 1; n <= 13; n += 1)
        await ledger.outcome('a', { is: 'error', message: `error ${n}`, countsAttempt: true })
      expect(ledger.attemptsOf('a').errors).toEqual(Array.from({ length: 10 }, (_unused, n) => `error ${n + 4}`))
      expect(ledger.attemptsOf('b').errors).toEqual([])
      expect(await ledger.begin({ letter: 'a' })).toBe(2)
    })
  })

  it('gives a kept result only for the content that it was computed from', async () => {
    await use(async (ledger) => {
      await ledger.keepResult(clink, 'answer')
      expect(ledger.keptResult(clink)?.response).toBe('answer')
      expect(ledger.keptResult(changed)).toBeUndefined()
      expect(ledger.keptResult({ ...clink, clink_id: 'another' })).toBeUndefined()
      await ledger.keepResult(changed, 'other answer')
      expect(ledger.keptResult(changed)?.response).toBe('other answer')
      expect(ledger.keptResult(clink)).toBeUndefined()
    })
  })

  it('tells a result without a response from none, and from an empty one', async () => {
    await use(async (ledger) => {
      await ledger.keepResult(clink, undefined)
      await ledger.keepResult({ ...clink, clink_id: 'empty' }, '')
      expect(ledger.keptResult(clink)).toMatchObject({ content: clink.content, leases: 0 })
      expect(ledger.keptResult(clink)).not.toHaveProperty('response')
      expect(ledger.keptResult({ ...clink, clink_id: 'empty' })?.response).toBe('')
    })
  })

  it('counts the leases that a kept result has failed over, and begins anew with other content', async () => {
    await use(async (ledger) => {
      expect(await ledger.failedLease(id, 5_000)).toBeUndefined()
      await ledger.keepResult(clink, 'answer')
      expect(await ledger.failedLease(id, 5_000)).toEqual({ leases: 1, over: expect.any(Number) })
      expect(await ledger.failedLease(id, 6_000)).toMatchObject({ leases: 2 })
      await ledger.keepResult(clink, 'cut answer')
      expect(ledger.keptResult(clink)).toMatchObject({
        response: 'cut answer',
        leases: 2,
        failedAt: expect.any(Number),
      })
      await ledger.keepResult(changed, 'answer')
      expect(await ledger.failedLease(id, 7_000)).toMatchObject({ leases: 1 })
    })
  })

  it('forgets attempts and result of what is settled, of no other', async () => {
    await use(async (ledger) => {
      const other = { ...clink, clink_id: 'other' }
      for (const one of [clink, other]) {
        await ledger.begin({ letter: one.clink_id })
        await ledger.keepResult(one, 'answer')
      }
      await ledger.settled(clink)
      expect(ledger.keptResult(clink)).toBeUndefined()
      expect(await ledger.begin({ letter: id })).toBe(1)
      expect(ledger.keptResult(other)?.response).toBe('answer')
      expect(await ledger.begin({ letter: 'other' })).toBe(2)
    })
  })

  it('gives up a dead letter, and needs its attempts and result no longer', async () => {
    await use(async (ledger) => {
      await ledger.outcome(id, { is: 'error', message: 'failed', countsAttempt: true })
      await ledger.keepResult(clink, 'answer')
      await ledger.deadLetter(letter)
      expect([(await recalled(ledger, id)).isGivenUp, (await recalled(ledger, 'other')).isGivenUp]).toEqual([
        true,
        false,
      ])
      expect([ledger.attemptsOf(id).errors, ledger.keptResult(clink)]).toEqual([[], undefined])
      await ledger.settled(clink)
      expect((await recalled(ledger, id)).isGivenUp).toBe(true)
    })
  })

  it('leaves a clink alone until its time, which a later word replaces', async () => {
    await use(async (ledger) => {
      await ledger.cooling.set('a', 600_000)
      expect([(await recalled(ledger, 'a')).isCooling, (await recalled(ledger, 'b')).isCooling]).toEqual([true, false])
      await ledger.cooling.set('a', 1)
      await until(
        async () => !(await recalled(ledger, 'a')).isCooling,
        () => 'it is over',
      )
    })
  })

  it('knows its own clinks and its facts', async () => {
    await use(async (ledger) => {
      await ledger.addOwn('mine', 5)
      await ledger.process.note({ name: 'one' })
      await ledger.process.note({ name: 'two' })
      expect([(await recalled(ledger, 'mine')).isOwn, (await recalled(ledger, 'theirs')).isOwn]).toEqual([true, false])
      expect([ledger.process.fact('name'), ledger.process.fact('none')]).toEqual(['two', undefined])
    })
  })

  it('holds one claim for a clink, the latest, until it is dropped', async () => {
    await use(async (ledger) => {
      const other = { ...claim, clink: { ...clink, clink_id: 'other' } }
      await ledger.process.hold(claim)
      await ledger.process.hold(other)
      await ledger.process.hold({ ...claim, releasing: true })
      expect(ledger.process.claims()).toEqual(expect.arrayContaining([{ ...claim, releasing: true }, other]))
      expect(ledger.process.claims()).toHaveLength(2)
      await ledger.process.drop(id)
      await ledger.process.drop('unknown')
      expect(ledger.process.claims()).toEqual([other])
    })
  })

  it('takes any text for an id', async () => {
    await use(async (ledger) => {
      const ids = ['__proto__', "'; DROP TABLE own; --", ' ', 'ид', '']
      for (const one of ids) await ledger.addOwn(one, 1)
      expect(
        (await Promise.all(ids.map(async (one) => (await recalled(ledger, one)).isOwn))).filter((is) => !is),
      ).toEqual([])
      expect((await recalled(ledger, 'constructor')).isOwn).toBe(false)
    })
  })
})

it('a clink cools down no longer than it was told to, though the wall clock was wrong then, over a restart too (§2, P1)', async () => {
  let [wall, steady] = [1_800_000_000_000, 0]
  const tables = memoryTables()
  const begin = (): Ledger =>
    new Ledger(
      tables,
      undefined,
      () => wall,
      () => steady,
    )
  const coolsFor = async (ledger: Ledger, ms: number): Promise<readonly boolean[]> => {
    steady += ms - 1
    const before = (await recalled(ledger, 'one')).isCooling
    steady += 1
    return [before, (await recalled(ledger, 'one')).isCooling]
  }
  const first = begin()
  await first.cooling.set('one', 60_000)
  wall -= 31_536_000_000
  expect(await coolsFor(first, 60_000)).toEqual([true, false])
  // The next process has only the wall clock's word, and knows for how long it was meant.
  const next = begin()
  expect((await recalled(next, 'one')).isCooling).toBe(true)
  expect(await coolsFor(next, 60_000)).toEqual([true, false])
})

it('a clink that another worker leaves alone anew is left alone for as long as that says (P10)', async () => {
  let now = 1_000
  const tables = memoryTables()
  const ledger = new Ledger(
    tables,
    undefined,
    () => now,
    () => now,
  )
  await tables.cooling.set('one', { at: 2_000, for: 1_000 })
  expect((await recalled(ledger, 'one')).coolsFor).toBe(1_000)
  now = 3_000
  expect((await recalled(ledger, 'one')).coolsFor).toBe(0)
  await tables.cooling.set('one', { at: 5_000, for: 2_000 })
  expect((await recalled(ledger, 'one')).coolsFor).toBe(2_000)
})
