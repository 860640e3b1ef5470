import { describe, expect, it } from 'vitest'
import { BareRefusals } from '../../src/clink/bare-refusals.ts'
import { ClinkClient } from '../../src/clink/client.ts'
import { ClinkApiError } from '../../src/clink/errors.ts'
import { refusesClaim, mayBeKept } from '../../src/clink/verdicts.ts'
import { answer, JumpingClock, ScriptedTransport, type Step } from '../support/scripted.ts'

const client = (attempts: number, ...steps: Step[]): ClinkClient =>
  new ClinkClient({
    key: 'sk_live_u_1',
    attempts,
    clock: new JumpingClock(),
    random: () => 0,
    transport: new ScriptedTransport(...steps),
  })

async function refusalOf(status: number, body: unknown): Promise<ClinkApiError> {
  const failed: unknown = await client(1, answer(status, body))
    .releaseClink({ clink_id: 'msg_1' })
    .catch((error: unknown) => error)
  if (failed instanceof ClinkApiError) return failed
  throw new Error('it was not refused')
}

const foreign = [
  ['an error page', '<html><h1>Forbidden</h1></html>'],
  ['a cut body', '{"success": fal'],
  ['nothing', ''],
  ['a list', []],
  ['a bare object', { detail: 'Not Found' }],
  ['a success', { success: true, data: {} }],
] as const
const doubtful = [400, 402, 403, 404, 405, 407, 409, 410, 422, 451]

describe.each(doubtful)('§0: a %d', (status) => {
  it.each(foreign)('with %s is no verdict, and what was sent may have happened', async (_, body) => {
    const error = await refusalOf(status, body)
    expect(error).toMatchObject({ status, failure: 'foreign', mayHaveHappened: true })
    expect(error.message).toContain('may come from something in front of the service')
    expect(refusesClaim(error)).toBe(false)
  })

  it('in the envelope is one', async () => {
    expect(await refusalOf(status, { success: false })).toMatchObject({ failure: undefined, mayHaveHappened: false })
  })

  it('outside it is asked again where that does nothing twice', async () => {
    const page = answer(status, '<html>')
    const listing = client(3, page, page, answer(200, { success: true, data: { groups: [] } }))
    await expect(listing.listGroups()).resolves.toMatchObject({ groups: [] })
    await expect(client(3, page, answer(409, { success: false })).claimClink({ clink_id: 'm' })).rejects.toMatchObject({
      status: 409,
      mayHaveHappened: true,
    })
    // The transport would fail loudly, were it asked twice.
    await expect(client(3, page).sendClink({ group_id: 'g', content: 'once' })).rejects.toMatchObject({ status })
  })
})

it.each([401, 413, 429])('§0: a %d counts whatever its body', async (status) => {
  for (const [, body] of foreign) {
    expect(await refusalOf(status, body)).toMatchObject({ failure: undefined, mayHaveHappened: false })
  }
})

describe('§0: a bare refusal', () => {
  const weighed = (refusals: BareRefusals, error: ClinkApiError, ...times: number[]): boolean[] =>
    times.map((now) => refusesClaim(refusals.weigh(error, now)))

  it('counts when it was given three times over five seconds, and nothing is kept of it', async () => {
    const bare = await refusalOf(403, { message: 'Forbidden' })
    const refusals = new BareRefusals()
    expect(weighed(refusals, bare, 0, 2_000, 4_999, 5_000)).toEqual([false, false, false, true])
    expect(mayBeKept(refusals.weigh(bare, 9_000))).toBe(false)
    expect(refusals.weigh(bare, 9_000).mayHaveHappened).toBe(true)
    expect(weighed(new BareRefusals(), bare, 0, 60_000)).toEqual([false, false])
  })

  it('counts for its own request only, and only as long as it stays the same', async () => {
    const forbidden = await refusalOf(403, { message: 'Forbidden' })
    const missing = await refusalOf(404, { message: 'no Route matched' })
    const refusals = new BareRefusals()
    expect(weighed(refusals, forbidden, 0, 3_000)).toEqual([false, false])
    expect(weighed(refusals, missing, 6_000)).toEqual([false])
    expect(weighed(refusals, forbidden, 9_000, 12_000, 14_000)).toEqual([false, false, true])
    expect(weighed(new BareRefusals(), forbidden, 20_000)).toEqual([false])
  })

  it('never counts when it is a page', async () => {
    const page = await refusalOf(403, '<html>')
    expect(weighed(new BareRefusals(), page, 0, 5_000, 10_000, 600_000)).toEqual([false, false, false, false])
  })
})
