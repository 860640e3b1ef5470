import { describe, expect, it } from 'vitest'
import type { ByOthers } from '../../src/ledger/fleet.ts'
import { Memory, triedBy, type Kept } from '../../src/ledger/memory.ts'
import { NONE, type Attempts, type KeptResult } from '../../src/ledger/remembered.ts'
import { clink } from '../support/sample-records.ts'
import { letter } from '../support/states.ts'

const tried: Attempts = { count: 3, errors: ['one', 'two'], crashes: 1, at: 1_000 }
const result: KeptResult = { response: 'the result', content: clink.content, leases: 0, at: 1_000 }
const ofOthers = { count: 2, errors: ['theirs'], excused: 1, outlived: 1, released: 1 }
const byOthers = { attempts: { ...NONE, ...ofOthers }, begun: [], overLetters: [] }
const edited = { ...clink, content: 'something else' }

function memory(kept: Kept = {}, coolsFor = 0): Memory {
  return new Memory(clink.clink_id, kept, { coolsFor, isOwn: false })
}

describe('what is remembered of a clink', () => {
  it('is nothing at first', () => {
    const { attempts, isCooling, isGivenUp, isCurrent, letter: none, mayHaveSteps, rerun, result: left } = memory()
    expect({ attempts, isCooling, isGivenUp, isCurrent, none, mayHaveSteps, rerun, left }).toEqual({
      attempts: NONE,
      isCooling: false,
      isGivenUp: false,
      isCurrent: true,
      none: undefined,
      mayHaveSteps: false,
      rerun: undefined,
      left: undefined,
    })
  })

  it('changes by what the steps of the ledger tell, and by nothing else', () => {
    const one = memory({ attempts: tried, result })
    one.change({ attempts: undefined })
    expect([one.attempts, one.result]).toEqual([NONE, result])
    one.change({ letter })
    expect([one.letter, one.result]).toEqual([letter, result])
  })

  it.each([
    { of: 'attempts', kept: { attempts: tried } },
    { of: 'a dead letter', kept: { letter } },
  ])('may have steps where there are $of', ({ kept }) => {
    expect(memory(kept).mayHaveSteps).toBe(true)
  })

  it('cools as long as there is time left', () => {
    expect([memory({}, 1).isCooling, memory({}, -1).isCooling]).toEqual([true, false])
  })

  it('is a dead letter also where that is discarded, and then has none', () => {
    const discarded = memory({ letter: { ...letter, discarded: true, rerun: { step: 'due' } } })
    expect([discarded.isGivenUp, discarded.letter, discarded.rerun]).toEqual([true, undefined, undefined])
    const again = memory({ letter: { ...letter, rerun: { step: 'due' } } })
    expect([again.isGivenUp, again.rerun]).toEqual([true, { step: 'due' }])
  })
})

describe('how often it was tried', () => {
  const mine = { starts: 3, crashes: 1, errors: ['one', 'two'], excused: 0, outlived: 0, released: 0, isSuspect: false }

  it('is what this worker has done, where there is no fleet', () => {
    const one = memory({ attempts: tried })
    expect([one.tried, one.startsInFleet]).toEqual([mine, 0])
    expect(triedBy({ ...tried, excused: 1, outlived: 2, released: 3, suspect: true })).toEqual({
      ...mine,
      excused: 1,
      outlived: 2,
      released: 3,
      isSuspect: true,
    })
  })

  it('is what all members have done in a fleet, with their errors before its own', () => {
    const one = memory({ attempts: { ...tried, excused: 1, released: 2, outlived: 3 } })
    one.takeOthers(byOthers)
    expect(one.tried).toEqual({
      ...mine,
      starts: 5,
      errors: ['theirs', 'one', 'two'],
      excused: 2,
      outlived: 4,
      released: 3,
    })
    expect(one.startsInFleet).toBe(0)
    const { excused: _e, outlived: _o, released: _r, ...rest } = ofOthers
    one.takeOthers({ ...byOthers, attempts: { ...NONE, ...rest } })
    expect(one.tried).toMatchObject({ starts: 5, excused: 1, outlived: 3, released: 2 })
    expect(one.startsInFleet).toBe(2)
    one.takeOthers('none')
    expect([one.tried.starts, one.startsInFleet]).toEqual([3, 0])
  })

  it('is of a letter what was tried since the clink was given up, by whoever has run it again', () => {
    const rerun = { ...tried, letter: letter.at, excused: 1 }
    const one = memory({ attempts: rerun, letter })
    const before = [one.tried, one.startsOfOthers, one.startsInFleet]
    expect(before).toEqual([{ ...mine, excused: 1 }, 0, 0])
    one.takeOthers(byOthers)
    expect([one.tried, one.startsOfOthers, one.startsInFleet]).toEqual([{ ...mine, excused: 1 }, 0, 2])
    const over = (at: number): Attempts => ({ ...NONE, count: 1, errors: [`over ${at}`], letter: at })
    one.takeOthers({ ...byOthers, overLetters: [over(letter.at - 1), over(letter.at)] })
    const errors = [`over ${letter.at}`, ...mine.errors]
    expect(one.tried).toEqual({ ...mine, starts: 4, excused: 1, errors })
    expect([one.startsOfOthers, one.startsInFleet]).toEqual([1, 3])
    one.takeOthers(byOthers)
    one.change({ letter: undefined })
    expect([one.tried.starts, one.startsOfOthers]).toEqual([5, 2])
  })

  it.for([{}, { letter: letter.at - 1 }])('is of a letter nothing that was tried before, with %o', (noted) => {
    const one = memory({ attempts: { ...tried, ...noted, excused: 1 }, letter })
    one.takeOthers(byOthers)
    // Which clink ends the process does not change with its letter.
    expect(one.tried).toEqual({ ...mine, starts: 0, errors: [], crashes: 1 })
    expect(one.startsInFleet).toBe(0)
    one.change({ attempts: { ...tried, ...noted, suspect: true } })
    expect(one.tried).toEqual({ ...mine, starts: 0, errors: [], crashes: 1, isSuspect: true })
    one.change({ letter: { ...letter, discarded: true } })
    expect(one.tried.starts).toBe(5)
  })

  it('has the last errors alone', () => {
    const one = memory({ attempts: { ...tried, errors: Array.from({ length: 10 }, (_, n) => `mine ${n}`) } })
    one.takeOthers({ ...byOthers, attempts: { ...NONE, errors: Array.from({ length: 10 }, (_, n) => `theirs ${n}`) } })
    expect(one.tried.errors).toEqual(Array.from({ length: 10 }, (_, n) => `mine ${n}`))
  })
})

describe('what others have done with it', () => {
  it('is known once it was read, and makes the memory current', () => {
    const one = memory()
    one.takeOthers(undefined)
    expect([one.isCurrent, one.others, one.mayHaveSteps]).toEqual([false, undefined, false])
    one.takeOthers('none')
    expect([one.isCurrent, one.others, one.mayHaveSteps]).toEqual([true, undefined, false])
    one.takeOthers(byOthers)
    expect([one.isCurrent, one.others, one.mayHaveSteps]).toEqual([true, byOthers, true])
  })

  it('stays where it cannot be read again, as long as somebody works the clink', () => {
    const one = memory()
    one.workers = 1
    one.takeOthers(byOthers)
    one.takeOthers(undefined)
    expect([one.isCurrent, one.others]).toEqual([true, byOthers])
    one.isCurrent = false
    one.takeOthers(undefined)
    expect(one.isCurrent).toBe(false)
    one.isCurrent = true
    one.workers = 0
    one.takeOthers(undefined)
    expect([one.isCurrent, one.others]).toEqual([false, byOthers])
  })

  it('is known to have been read from then on, also where it could not be read again', () => {
    const one = memory()
    const read = ([undefined, 'none', undefined] as const).map((said) => {
      one.takeOthers(said)
      return one.wasRead
    })
    expect(read).toEqual([false, true, true])
  })

  describe('does not become less under a claim under which it was read', () => {
    const before = { ...byOthers, result }
    const begun = [{ letter: 1, by: 'two' }]

    it.each<[string, ByOthers | 'none', ByOthers]>([
      ['where a fleet has nothing any more', 'none', before],
      ['but for what else is new', { ...byOthers, begun }, { ...before, begun }],
      ['with fewer starts', { ...byOthers, attempts: { ...NONE, count: 1 } }, before],
      [
        'and takes as many starts as they are',
        { ...byOthers, attempts: { ...NONE, count: 2 } },
        { ...before, attempts: { ...NONE, count: 2 } },
      ],
      [
        'and takes more of them, and a newer result',
        { ...byOthers, attempts: { ...NONE, count: 3 }, result: { ...result, response: 'newer' } },
        { ...byOthers, attempts: { ...NONE, count: 3 }, result: { ...result, response: 'newer' } },
      ],
    ])('%s', (_, now, then) => {
      const one = memory()
      one.takeOthers(before)
      one.takeOthers(now, true)
      expect(one.others).toEqual(then)
    })

    it('and is what was read where there was nothing', () => {
      const one = memory()
      one.takeOthers('none')
      one.takeOthers(byOthers, true)
      expect(one.others).toEqual(byOthers)
      one.takeOthers(byOthers, true)
      expect(one.others).toStrictEqual(byOthers)
    })
  })

  it('may be a result, where there is none of its own', () => {
    const theirs = { ...result, response: 'theirs' }
    const one = memory()
    one.takeOthers({ ...byOthers, result: theirs })
    expect(one.result).toEqual(theirs)
    one.change({ result })
    expect(one.result).toEqual(result)
  })
})

describe('a claim on it', () => {
  const noticed = { ...letter, notice: 'it failed' }

  it('is given back where it is a dead letter, but for the answer that its sender should have', () => {
    expect(memory().whyGivenBack(clink)).toBeUndefined()
    expect(memory({ letter }).whyGivenBack(clink)).toBe('it is a dead letter')
    expect(memory({ letter: noticed }).whyGivenBack(clink)).toBeUndefined()
    expect(memory({ letter: noticed }).noticeFor(clink)).toBe('it failed')
    // That answers another text.
    expect(memory({ letter: noticed }).noticeFor(edited)).toBeUndefined()
    expect(memory({ letter: noticed }).whyGivenBack(edited)).toBe('it is a dead letter')
  })

  it('is given back where it cools by the word of another member, and only in a fleet', () => {
    const one = memory({}, 1_000)
    expect(one.whyGivenBack(clink)).toBeUndefined()
    one.takeOthers('none')
    expect(one.whyGivenBack(clink)).toBe('another worker has given it back a moment ago')
    one.coolsFor = 0
    expect(one.whyGivenBack(clink)).toBeUndefined()
  })

  it('begins with the answer that may have been sent: of the same text, and the notice of a letter first', () => {
    expect(memory().unconfirmed(clink)).toBeUndefined()
    expect(memory({ result }).unconfirmed(clink)).toEqual(result)
    expect(memory({ result }).unconfirmed(edited)).toBeUndefined()
    expect(memory({ result, letter: noticed }).unconfirmed(clink)).toEqual({ response: 'it failed' })
  })
})
