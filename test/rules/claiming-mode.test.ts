import { describe, expect, it } from 'vitest'
import { claimingMode } from '../../src/worker/claiming.ts'
import { makeConfig, type Settings } from '../worker/settings.ts'

const configOf = (inbox: NonNullable<Settings['inbox']>) => makeConfig('http://127.0.0.1', { inbox })
const mode = (inbox: NonNullable<Settings['inbox']>, mayClaimById: boolean | undefined, isAllOurs = true): string =>
  claimingMode(configOf(inbox), { mayClaimById, mayTry: true, isAllOurs }).mode

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
      const answer = claimingMode(configOf(inbox), { mayClaimById, mayTry: false, isAllOurs: true })
      expect(answer).toMatchObject({ mode: 'none' })
      if (answer.mode !== 'none') return
      expect(answer.reason).toContain(name)
      expect(answer.advice).toContain('claim.exclusive')
    },
  )
})
