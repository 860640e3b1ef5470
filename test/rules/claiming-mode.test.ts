import { describe, expect, it } from 'vitest'
import { claimingMode } from '../../src/worker/claiming.ts'
import { makeConfig, type Settings } from '../worker/settings.ts'

const mode = (inbox: Settings['inbox'], mayClaimById: boolean | undefined, isAllOurs = true): string =>
  claimingMode(makeConfig('http://127.0.0.1', inbox === undefined ? {} : { inbox }), { mayClaimById, isAllOurs }).mode

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

  it.for(needing)('%s claims nothing where claims by id take siblings’ work, and says what to do', ([name, inbox]) => {
    const answer = claimingMode(makeConfig('http://127.0.0.1', { inbox }), { mayClaimById: false, isAllOurs: true })
    expect(answer).toMatchObject({ mode: 'none' })
    if (answer.mode !== 'none') return
    expect(answer.reason).toContain(name)
    expect(answer.advice).toContain('claim.exclusive')
  })
})
