import { describe, expect, it } from 'vitest'
import type { Evidence } from './judge.ts'
import { handlesSettleOnce } from './rules/settled-once.ts'

/** A clink whose parked claim is being released while a poll claims it anew: the answer to the release comes after the new claim is done. */
function judged(lastEvents: readonly string[]): readonly string[] {
  const clink = { clink_id: 'one' }
  const said = (at: number, event: string, more: object = {}): object => ({ at, event: { event, clink, ...more } })
  const events = [
    said(10, 'clink.parked'),
    said(30, 'clink.claimed', { route: 'work' }),
    said(50, 'clink.completed', { route: 'work' }),
    ...lastEvents.map((event) => said(60, event)),
  ]
  const release = { life: 'w1.1', kind: 'release', begunAt: 20, endedAt: 60 }
  const grant = { life: 'w1.1', isNew: true, at: 25, request: { endedAt: 30 } }
  const record = {
    eventsByLife: new Map([['w1.1', events]]),
    requestsByClink: new Map([['one', [release]]]),
    grantsByClink: new Map([['one', [grant]]]),
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that the rule looks at
  return handlesSettleOnce({ record } as unknown as Evidence).map(({ text }) => text)
}

describe('the judge, of a clink that is done under the claim after a parked one (P1),', () => {
  it('hears the end of the parked claim after it', () => {
    expect(judged(['clink.leftToExpire'])).toEqual([])
  })

  it('notices a worker that says that end twice', () => {
    const twice = ['clink.leftToExpire', 'clink.leftToExpire']
    expect(judged(twice)).toEqual(['one ends twice: clink.leftToExpire, then clink.leftToExpire'])
  })

  it('notices a worker that says it without a parked claim to end', () => {
    const clink = { clink_id: 'one' }
    const events = ['clink.claimed', 'clink.completed', 'clink.leftToExpire'].map((event, at) => ({
      at,
      event: { event, clink },
    }))
    const record = {
      eventsByLife: new Map([['w1.1', events]]),
      requestsByClink: new Map(),
      grantsByClink: new Map(),
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that the rule looks at
    const breaches = handlesSettleOnce({ record } as unknown as Evidence)
    expect(breaches.map(({ text }) => text)).toEqual(['one ends twice: clink.completed, then clink.leftToExpire'])
  })
})

/** A claim nobody takes in hand, with its end, and a second end; between them a claim was made, of which the process was told then. */
function judgedAround(toldAt: number): readonly string[] {
  const clink = { clink_id: 'one' }
  const events = [
    { at: 40, event: { event: 'clink.settledElsewhere', clink } },
    { at: 60, event: { event: 'clink.completed', clink } },
  ]
  const grant = { life: 'w1.1', isNew: true, at: 35, request: { endedAt: toldAt, toldWell: true } }
  const record = {
    eventsByLife: new Map([['w1.1', events]]),
    requestsByClink: new Map(),
    grantsByClink: new Map([['one', [grant]]]),
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that the rule looks at
  return handlesSettleOnce({ record } as unknown as Evidence).map(({ text }) => text)
}

describe('the judge, of a clink that is claimed anew while its completion is refused (P1),', () => {
  it('hears an end of the second claim, of which the process was told after the first end', () => {
    expect(judgedAround(45)).toEqual([])
  })

  it.for([
    ['before the first end', 38],
    ['after the second end', 70],
    ['never', Infinity],
  ] as const)('notices a worker that says both ends where it was told of the claim %s', ([, toldAt]) => {
    expect(judgedAround(toldAt)).toEqual(['one ends twice: clink.settledElsewhere, then clink.completed'])
  })
})
