import { describe, expect, it } from 'vitest'
import { claimingMode } from '../../../src/worker/claiming/mode.ts'
import { makeConfig, type Settings } from '../../support/settings.ts'

const configOf = (inbox: NonNullable<Settings['inbox']>) => makeConfig('http://127.0.0.1', { inbox })
const mode = (inbox: NonNullable<Settings['inbox']>, mayClaimById: boolean | undefined, isAllOurs = true): string =>
  claimingMode(configOf(inbox), { mayClaimById, mayTry: true, isAllOurs, pollsTell: true }).mode

/** What a claiming poll cannot keep. */
const needing = [
  ['inbox.claim: select', { claim: 'select' }],
  ['inbox.groups', { groups: ['ops'] }],
  ['inbox.ignore', { ignore: ['self'] }],
  ['inbox.for: me', { for: 'me' }],
  ['inbox.maxAge', { maxAge: 60_000 }],
] as const

describe('how clinks are claimed (§1, §3)', () => {
  it.for<[boolean | undefined, boolean, string]>([
    [true, true, 'batch'],
    [true, false, 'select'],
    [false, true, 'batch'],
    [false, false, 'batch'],
    [undefined, true, 'batch'],
    [undefined, false, 'batch'],
  ])('auto, claims by id safe: %s, all ours: %s → %s', ([mayClaimById, isAllOurs, expected]) => {
    expect(mode({ claim: 'auto' }, mayClaimById, isAllOurs)).toBe(expected)
  })

  it.for([true, false, undefined])('batch stays batch, claims by id safe: %s', (mayClaimById) => {
    for (const isAllOurs of [true, false]) expect(mode({ claim: 'batch' }, mayClaimById, isAllOurs)).toBe('batch')
  })

  it.for(needing)('%s selects, also until it is known whether it may', ([, inbox]) => {
    expect(mode(inbox, true)).toBe('select')
    expect(mode(inbox, undefined)).toBe('select')
  })

  it.for(needing.flatMap((row) => [[...row, false] as const, [...row, undefined] as const]))(
    '%s claims nothing where claims by id may take siblings’ work, and says what to do: %o, safe: %s',
    ([name, inbox, mayClaimById]) => {
      const answer = claimingMode(configOf(inbox), { mayClaimById, mayTry: false, isAllOurs: true, pollsTell: true })
      expect(answer).toMatchObject({ mode: 'none' })
      if (answer.mode !== 'none') return
      expect(answer.reason).toContain(name)
      expect(answer.advice).toContain('claim.exclusive')
    },
  )
})

describe('§8: a service that does not say which clinks a poll has claimed', () => {
  const untold = (claim: 'auto' | 'batch', mayClaimById: boolean | undefined) =>
    claimingMode(configOf({ claim }), { mayClaimById, mayTry: true, isAllOurs: true, pollsTell: false })

  it('is claimed from by id, where that is safe or may be found out', () => {
    for (const mayClaimById of [true, undefined]) expect(untold('auto', mayClaimById)).toEqual({ mode: 'select' })
  })

  it.for([
    ['auto', false],
    ['batch', true],
  ] as const)('is not claimed from, which is said: claim %s, claims by id safe: %s', ([claim, mayClaimById]) => {
    const chosen = untold(claim, mayClaimById)
    expect(chosen).toMatchObject({ mode: 'none', isFinal: true })
    expect(chosen.mode === 'none' && chosen.reason).toContain('does not say which clinks a poll has claimed')
  })
})
