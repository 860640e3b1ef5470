import { describe, expect, it } from 'vitest'
import { ClinkApiError } from '../../../src/clink/errors.ts'
import type { Clink } from '../../../src/clink/records.ts'
import { Identity } from '../../../src/keys/identity.ts'
import type { Keys, WorkerKey } from '../../../src/keys/keys.ts'
import { findClink, listedOwner, lossShownBy } from '../../../src/worker/claim/observe.ts'
import { clink } from '../../support/sample-records.ts'

const others = (count: number): Clink[] =>
  Array.from({ length: count }, (_, n) => ({ ...clink, clink_id: `other ${n}` }))
const failure = new ClinkApiError('away', {
  status: 503,
  detail: undefined,
  operation: 'get_clinks',
  mayHaveHappened: false,
  retryAfter: undefined,
  failure: undefined,
  isBare: false,
})

/** A service that lists so, page by page. */
function listing(...pages: readonly (readonly Clink[] | ClinkApiError)[]) {
  const asked: unknown[] = []
  const getClinks = async (params: unknown, limits: unknown): Promise<unknown> => {
    const page = pages[asked.length]
    asked.push([params, limits])
    await Promise.resolve()
    if (page instanceof ClinkApiError) throw page
    return { clinks: page }
  }
  return { asked, api: { getClinks } as unknown as WorkerKey['api'] }
}
const { signal } = new AbortController()
const found = { ...clink, status: 'claimed' } as const
const statuses = (asked: readonly unknown[]): unknown[] =>
  asked.map((one) => (one as [{ status?: string }])[0].status ?? 'any')

describe('a look at one clink', () => {
  it('lists its group from the moment of its creation, once, until the deadline', async () => {
    const { api, asked } = listing([...others(3), found])
    expect(await findClink(clink, api, 7_000, signal)).toBe(found)
    expect(asked).toEqual([
      [
        { group_id: 'g1', limit: 100, since: '2026-11-01T09:59:59.000Z' },
        { deadline: 7_000, attempts: 1, signal },
      ],
    ])
  })

  it('finds nothing where a page that is not full does not have it', async () => {
    const { api, asked } = listing(others(99))
    expect(await findClink(clink, api, 7_000)).toBeUndefined()
    expect(asked).toHaveLength(1)
  })

  it('goes on state by state behind a full page, and may find it in the last', async () => {
    const { api, asked } = listing(others(100), others(2), others(100), [found])
    expect(await findClink(clink, api, 7_000)).toBe(found)
    expect(statuses(asked)).toEqual(['any', 'completed', 'claimed', 'pending'])
  })

  it('does not know whether the clink is behind a page that is full in one state', async () => {
    expect(await findClink(clink, listing(others(100), others(1), others(100), others(1)).api, 7_000)).toBe('hidden')
    expect(await findClink(clink, listing(others(100), others(1), others(99), []).api, 7_000)).toBeUndefined()
  })

  it('has failed as soon as the service does not answer', async () => {
    expect(await findClink(clink, listing(failure).api, 7_000)).toBe('failed')
    const { api, asked } = listing(others(100), failure)
    expect(await findClink(clink, api, 7_000)).toBe('failed')
    expect(asked).toHaveLength(2)
  })
})

describe('the owner that a list shows', () => {
  async function owner(page: readonly Clink[] | ClinkApiError, suspect?: string): Promise<readonly unknown[]> {
    const { api, asked } = listing(page)
    const untold: unknown[] = []
    const key = { api, suspect } as unknown as WorkerKey
    const keys = {
      untold: (one: WorkerKey) => untold.push(one),
      shown: (_: WorkerKey, shown: string) => shown === 'me',
    } as unknown as Keys
    const shown = await listedOwner(clink, key, keys, 7_000, signal)
    expect(asked).toMatchObject([[{}, { deadline: 7_000, signal }]])
    return [shown, untold.length, untold.every((one) => one === key)]
  }

  it('is that of a claim', async () => {
    expect(await owner([{ ...found, claimed_by: 'me' }])).toEqual([{ id: 'me' }, 0, true])
  })

  it('is unclear where that is somebody else for the first time, or nobody after that', async () => {
    expect(await owner([{ ...found, claimed_by: 'ann' }])).toEqual(['unclear', 0, true])
    expect(await owner([found], 'ann')).toEqual(['unclear', 1, true])
  })

  it.each([
    ['a clink that nobody has claimed', [{ ...clink, claimed_by: 'me' }]],
    ['a claim without an owner', [found]],
    ['nothing', []],
  ])('is not to be found out from %s, then or later', async (_, page) => {
    expect(await owner(page)).toEqual(['untold', 1, true])
  })

  it('may be found out another time where no answer came', async () => {
    expect(await owner(failure)).toEqual([failure, 0, true])
  })
})

describe('a record shows our claim as gone', () => {
  const identity = new Identity('me', () => {})

  it.each<[Partial<Clink>, string | undefined]>([
    [{ status: 'completed' }, 'completed-elsewhere'],
    [{ status: 'pending' }, 'pending-again'],
    [{ status: 'claimed', claimed_by: 'ann' }, 'taken'],
    [{ status: 'claimed', claimed_by: 'me' }, undefined],
    [{ status: 'claimed' }, undefined],
    [{ status: undefined as never, claimed_by: 'ann' }, undefined],
  ])('%o: %s', (shown, loss) => {
    expect(lossShownBy({ ...clink, ...shown }, identity)).toBe(loss)
  })
})
