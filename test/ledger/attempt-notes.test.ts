import { describe, expect, it } from 'vitest'
import { changeBy, type AttemptNote } from '../../src/ledger/attempt-notes.ts'
import type { Attempts } from '../../src/ledger/remembered.ts'

const none: Attempts = { count: 0, errors: [], crashes: 0, at: 0 }
const some: Attempts = { count: 3, errors: ['one'], crashes: 1, excused: 1, outlived: 1, released: 1, at: 0 }

describe('what an end of a start changes of what is remembered of its clink (P9, P10)', () => {
  it.each<[string, AttemptNote, Attempts, unknown]>([
    ['a failure is noted', { is: 'error', message: 'two', countsAttempt: true }, some, { errors: ['one', 'two'] }],
    [
      'one that costs no attempt is noted, and its start taken back',
      { is: 'error', message: 'two', countsAttempt: false },
      some,
      { errors: ['one', 'two'], count: 2, isTakenBack: true },
    ],
    ['a release by the handler counts', { is: 'given-back-by-handler' }, some, { released: 2 }],
    ['the first one too', { is: 'given-back-by-handler' }, none, { released: 1 }],
    ['a start that does not count is taken back', { is: 'not-counted' }, some, { count: 2, isTakenBack: true }],
    ['never below none', { is: 'not-counted' }, none, { count: 0, isTakenBack: true }],
    ['a run that outlived its claim is one more', { is: 'outlived' }, some, { outlived: 2 }],
    ['or the first', { is: 'outlived' }, none, { outlived: 1 }],
    ['a start is excused', { is: 'excused' }, some, { excused: 2 }],
    ['and none where there is none', { is: 'excused' }, none, undefined],
    ['nor where all are', { is: 'excused' }, { ...some, excused: 3 }, undefined],
    ['nor in the place of one that was taken back', { is: 'excused' }, { ...some, isTakenBack: true }, undefined],
    ['one that was taken back by a stop is there, and excused', { is: 'given-back' }, some, { count: 4, excused: 2 }],
    ['also where it was the first', { is: 'given-back' }, none, { count: 1, excused: 1 }],
    ['a clink is suspect', { is: 'suspect' }, some, { suspect: true }],
    ['a crash counts', { is: 'crashed' }, some, { crashes: 2 }],
    ['a suspect that ended is none', { is: 'survived' }, { ...some, suspect: true }, { suspect: false, crashes: 0 }],
    ['one that is none stays as it is', { is: 'survived' }, some, undefined],
  ])('%s', (_, note, before, change) => {
    expect(changeBy(note, before)).toEqual(change)
  })

  it('the last ten failures are kept, and each no longer than an error may be', () => {
    const errors = Array.from({ length: 10 }, (_, n) => `error ${n}`)
    const noted = changeBy({ is: 'error', message: 'x'.repeat(100_000), countsAttempt: true }, { ...some, errors })
    expect(noted?.errors).toHaveLength(10)
    expect(noted?.errors?.slice(0, 9)).toEqual(errors.slice(1))
    expect(noted?.errors?.at(-1)?.length).toBe(16_384)
  })
})
