import { describe, expect, it } from 'vitest'
import { unfinishedReruns } from './asked.ts'
import { newLife, Record, type LifeRecord, type RequestRecord } from './record.ts'

const life = (name: string, startedAt: number): LifeRecord =>
  newLife({ name, worker: 'w1', state: 'w1', boot: 0, startedAt })

interface Claim {
  readonly key: string
  readonly isTold: boolean
}

/** Clinks that were never run again by hand, of a worker whose process has made these claims, and whose next one begins with the key `new`. */
function forgotten(claims: readonly Claim[]): readonly string[] {
  const record = new Record(() => 1_000)
  record.lives.set('w1.1', life('w1.1', 0))
  record.lives.set('w1.2', life('w1.2', 500))
  const asked = { kind: 'claim', limit: 1, fault: '' } as const
  for (const [index, { isTold, key }] of claims.entries()) {
    const at = 100 * (index + 1)
    const clinkId = `claimed ${index}`
    const request: RequestRecord = { ...asked, n: index, life: 'w1.1', clinkId, key, begunAt: at, toldWell: isTold }
    record.addRequest(request)
    record.addGrant({ life: 'w1.1', clinkId, at, expires: at + 60_000, via: 'claim', isNew: true, request })
  }
  record.addRequest({ ...asked, n: 9, life: 'w1.2', kind: 'probe', clinkId: undefined, key: 'new', begunAt: 500 })
  record.asks.push({ state: 'w1', clinkId: 'one', what: 'retry', askedAt: 600, isUnderWay: false, answer: 'rerun' })
  return unfinishedReruns(record).map(({ clinkId }) => clinkId)
}

describe('the judge, of a rerun of which nothing has come (P1, §8),', () => {
  it('has a worker wait whose new key has made no claim of which it was told', () => {
    expect(forgotten([{ key: 'old', isTold: true }])).toEqual([])
    expect(
      forgotten([
        { key: 'old', isTold: true },
        { key: 'new', isTold: false },
      ]),
    ).toEqual([])
  })

  it.each([
    { what: 'whose key has made a claim', claims: [{ key: 'new', isTold: true }] },
    {
      what: 'whose key has made a claim, whatever another one may have claimed since',
      claims: [
        { key: 'new', isTold: true },
        { key: 'old', isTold: false },
      ],
    },
    { what: 'of which no key was known', claims: [{ key: 'old', isTold: false }] },
  ])('notices a worker $what', ({ claims }) => {
    expect(forgotten(claims)).toEqual(['one'])
  })
})
