import { describe, expect, it } from 'vitest'
import { Ledger } from '../../src/ledger/ledger.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'
import { clink } from '../support/sample-records.ts'
import { TempDir } from '../support/temp-dir.ts'
import { claim, letter, open } from '../support/states.ts'

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
      expect(await ledger.startAttempt('a')).toBe(1)
      expect(await ledger.startAttempt('a')).toBe(2)
      expect(await ledger.startAttempt('b')).toBe(1)
    })
  })

  it('takes a start back, and never below none', async () => {
    await use(async (ledger) => {
      await ledger.startAttempt('a')
      await ledger.startAttempt('a')
      await ledger.takeBackAttempt('a')
      expect(await ledger.startAttempt('a')).toBe(2)
      await ledger.takeBackAttempt('b')
      await ledger.takeBackAttempt('b')
      expect(await ledger.startAttempt('b')).toBe(1)
    })
  })

  it('excuses a start without taking its number back', async () => {
    await use(async (ledger) => {
      await ledger.startAttempt('a')
      await ledger.excuse('a')
      expect([ledger.excusedOf('a'), ledger.excusedOf('b')]).toEqual([1, 0])
      expect(await ledger.startAttempt('a')).toBe(2)
    })
  })

  it('counts the claims that each clink outlived, until it is settled or buried', async () => {
    await use(async (ledger) => {
      await ledger.startAttempt(id)
      await ledger.countOutlived(id)
      await ledger.countOutlived(id)
      await ledger.countOutlived('other')
      expect([ledger.outlivedOf(id), ledger.outlivedOf('other'), ledger.outlivedOf('b')]).toEqual([2, 1, 0])
      expect([ledger.startsOf(id), ledger.startsOf('other')]).toEqual([1, 0])
      await ledger.bury(letter)
      await ledger.settled('other')
      expect([ledger.outlivedOf(id), ledger.outlivedOf('other')]).toEqual([0, 0])
    })
  })

  it('keeps the last ten errors, oldest first, and the starts beside them', async () => {
    await use(async (ledger) => {
      await ledger.startAttempt('a')
      for (let n = 1; n <= 13; n += 1) await ledger.noteError('a', `error ${n}`)
      expect(ledger.errorsOf('a')).toEqual(Array.from({ length: 10 }, (_unused, n) => `error ${n + 4}`))
      expect(ledger.errorsOf('b')).toEqual([])
      expect(await ledger.startAttempt('a')).toBe(2)
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
      expect(await ledger.countFailedLease(id, 5_000)).toBeUndefined()
      await ledger.keepResult(clink, 'answer')
      expect(await ledger.countFailedLease(id, 5_000)).toEqual({ leases: 1, over: expect.any(Number) })
      expect(await ledger.countFailedLease(id, 6_000)).toMatchObject({ leases: 2 })
      await ledger.keepResult(clink, 'cut answer')
      expect(ledger.keptResult(clink)).toMatchObject({
        response: 'cut answer',
        leases: 2,
        failedAt: expect.any(Number),
      })
      await ledger.keepResult(changed, 'answer')
      expect(await ledger.countFailedLease(id, 7_000)).toMatchObject({ leases: 1 })
    })
  })

  it('forgets attempts and result of what is settled, of no other', async () => {
    await use(async (ledger) => {
      const other = { ...clink, clink_id: 'other' }
      for (const one of [clink, other]) {
        await ledger.startAttempt(one.clink_id)
        await ledger.keepResult(one, 'answer')
      }
      await ledger.settled(id)
      expect(ledger.keptResult(clink)).toBeUndefined()
      expect(await ledger.startAttempt(id)).toBe(1)
      expect(ledger.keptResult(other)?.response).toBe('answer')
      expect(await ledger.startAttempt('other')).toBe(2)
    })
  })

  it('gives up what is buried, and needs its attempts and result no longer', async () => {
    await use(async (ledger) => {
      await ledger.noteError(id, 'failed')
      await ledger.keepResult(clink, 'answer')
      await ledger.bury(letter)
      expect([ledger.isGivenUp(id), ledger.isGivenUp('other')]).toEqual([true, false])
      expect([ledger.errorsOf(id), ledger.keptResult(clink)]).toEqual([[], undefined])
      await ledger.settled(id)
      expect(ledger.isGivenUp(id)).toBe(true)
    })
  })

  it('leaves a clink alone until its time, which a later word replaces', async () => {
    await use(async (ledger) => {
      await ledger.coolFor('a', 600_000)
      expect([ledger.isCooling('a'), ledger.isCooling('b')]).toEqual([true, false])
      await ledger.coolFor('a', 0)
      expect(ledger.isCooling('a')).toBe(false)
    })
  })

  it('knows its own clinks and its facts', async () => {
    await use(async (ledger) => {
      await ledger.addOwn('mine', 5)
      await ledger.noteFact('name', 'one')
      await ledger.noteFact('name', 'two')
      expect([ledger.isOwn('mine'), ledger.isOwn('theirs')]).toEqual([true, false])
      expect([ledger.fact('name'), ledger.fact('none')]).toEqual(['two', undefined])
    })
  })

  it('holds one claim for a clink, the latest, until it is dropped', async () => {
    await use(async (ledger) => {
      const other = { ...claim, clink: { ...clink, clink_id: 'other' } }
      await ledger.holdClaim(claim)
      await ledger.holdClaim(other)
      await ledger.holdClaim({ ...claim, releasing: true })
      expect(ledger.heldClaims()).toEqual(expect.arrayContaining([{ ...claim, releasing: true }, other]))
      expect(ledger.heldClaims()).toHaveLength(2)
      await ledger.dropClaim(id)
      await ledger.dropClaim('unknown')
      expect(ledger.heldClaims()).toEqual([other])
    })
  })

  it('takes any text for an id', async () => {
    await use(async (ledger) => {
      const ids = ['__proto__', "'; DROP TABLE own; --", ' ', 'ид', '']
      for (const one of ids) await ledger.addOwn(one, 1)
      expect(ids.filter((one) => !ledger.isOwn(one))).toEqual([])
      expect(ledger.isOwn('constructor')).toBe(false)
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
    const before = ledger.isCooling('one')
    steady += 1
    return [before, ledger.isCooling('one')]
  }
  const first = begin()
  await first.coolFor('one', 60_000)
  wall -= 31_536_000_000
  expect(await coolsFor(first, 60_000)).toEqual([true, false])
  // The next process has only the wall clock's word, and knows for how long it was meant.
  const next = begin()
  expect(next.isCooling('one')).toBe(true)
  expect(await coolsFor(next, 60_000)).toEqual([true, false])
})
