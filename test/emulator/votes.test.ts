import { describe, expect, it } from 'vitest'
import type { Emulator } from '../../src/emulator/emulator.ts'
import { count } from '../../src/emulator/resources/tally.ts'
import { ask, OPS, running, stillClock, type Answered } from '../support/running-emulator.ts'

const propose = (emulator: Emulator, body: object = {}): Promise<Answered> =>
  ask(emulator, `POST /groups/${OPS}/proposals`, { title: 'Shall we?', ...body })
const vote = (emulator: Emulator, id: string, text: string, as = 'worker', more: object = {}): Promise<Answered> =>
  ask(emulator, `POST /proposals/${id}/vote`, { vote: text, ...more }, { as })

type Counted = Parameters<typeof count>[0]
const ballots = (votes: readonly string[]): Counted['votes'] =>
  votes.map((text, index) => ({ voter_id: `v${index}`, vote: text, comment: '', at: 0 }))

describe('counting', () => {
  const yesNo = (threshold_type: Counted['threshold_type'], votes: string): Counted => ({
    voting_type: 'yes_no',
    threshold_type,
    options: ['yes', 'no'],
    votes: ballots(Array.from(votes, (letter) => (letter === 'y' ? 'yes' : 'no'))),
  })
  it.each<[Counted['threshold_type'], string, number | undefined, boolean]>([
    ['majority', 'yn', undefined, false],
    ['majority', 'yyn', undefined, true],
    ['majority', '', undefined, false],
    ['two_thirds', 'yyn', undefined, true],
    ['two_thirds', 'yyynn', undefined, false],
    ['two_thirds', '', undefined, false],
    ['unanimous', 'yyy', undefined, true],
    ['unanimous', 'yyyn', undefined, false],
    ['quorum', 'yy', 4, false],
    ['quorum', 'yyy', 5, true],
    ['quorum', 'yyn', 5, true],
    ['quorum', 'ynn', 5, false],
    ['quorum', 'yn', undefined, false],
    ['quorum', 'y', undefined, true],
  ])('%s of %s among %s: %s', (threshold, votes, eligible, met) => {
    const counted = yesNo(threshold, votes)
    expect(count(counted, eligible ?? votes.length)).toEqual({ met, result: met ? 'approved' : 'rejected' })
  })

  const choice = (voting_type: 'single' | 'ranked', votes: readonly string[]): Counted => ({
    voting_type,
    threshold_type: 'majority',
    options: ['a', 'b', 'c'],
    votes: ballots(votes),
  })
  it.each<['single' | 'ranked', readonly string[], string | undefined]>([
    ['single', ['a', 'a', 'b'], 'a'],
    ['single', ['a', 'b'], undefined],
    ['single', ['a', 'a', 'b', 'c'], undefined],
    ['ranked', ['a,b', 'a', 'b,a', 'b', 'c,b'], 'b'],
    ['ranked', ['a', 'b'], undefined],
    ['ranked', ['a', 'a', 'a', 'b', 'c'], 'a'],
    ['ranked', [], undefined],
  ])('%s with %j gives %s', (voting, votes, result) => {
    expect(count(choice(voting, votes), votes.length)).toEqual({ met: result !== undefined, result })
  })
})

describe('a proposal', () => {
  it('is a yes or no by majority where nothing else is said', async () => {
    const emulator = await running()
    const { data } = await propose(emulator, { options: ['ignored'] })
    expect(data).toMatchObject({
      voting_type: 'yes_no',
      threshold_type: 'majority',
      options: ['yes', 'no'],
      status: 'open',
      description: '',
      proposer_id: 'ap_worker',
      votes: [],
      vote_count: 0,
      tally: { yes: 0, no: 0 },
    })
    expect(data.proposal_id).toMatch(/^prop_/)
    expect(data).not.toHaveProperty('deadline')
    expect(data).not.toHaveProperty('linked_milestone_id')
  })

  it.each([
    [{ voting_type: 'single' }],
    [{ voting_type: 'ranked', options: ['a'] }],
    [{ voting_type: 'single', options: ['a', 'a'] }],
    [{ voting_type: 'ranked', options: ['a', 'b,c'] }],
    [{ voting_type: 'other' }],
    [{ threshold_type: 'most' }],
    [{ deadline_hours: 0 }],
    [{ title: '' }],
    [{ options: 'yes' }],
  ])('is refused as %j', async (body) => {
    const emulator = await running()
    expect((await propose(emulator, body)).status).toBe(400)
  })

  it('collects one vote a member', async () => {
    const emulator = await running()
    const { proposal_id: id } = (await propose(emulator)).data
    expect((await vote(emulator, id, 'yes', 'worker', { comment: 'of course' })).status).toBe(200)
    expect((await vote(emulator, id, 'no')).status).toBe(409)
    const { data } = await vote(emulator, id, 'no', 'bob')
    expect(data).toMatchObject({
      vote_count: 2,
      tally: { yes: 1, no: 1 },
      votes: [
        { voter_id: 'ap_worker', vote: 'yes', comment: 'of course', voted_at: expect.any(String) },
        { voter_id: 'user_bob', vote: 'no', comment: '' },
      ],
    })
    expect((await ask(emulator, `GET /proposals/${id}`)).data).toEqual(data)
    const listed = await ask(emulator, `GET /groups/${OPS}/proposals`)
    expect(listed.data.proposals[0]).toMatchObject({ vote_count: 2 })
    expect(listed.data.proposals[0]).not.toHaveProperty('votes')
  })

  it.each([
    ['yes_no', undefined, 'maybe'],
    ['single', ['a', 'b'], 'c'],
    ['single', ['a', 'b'], 'a,b'],
    ['ranked', ['a', 'b'], 'a,c'],
    ['ranked', ['a', 'b'], 'a,a'],
    ['ranked', ['a', 'b'], 'a,'],
  ])('%s of %j refuses the vote %s', async (voting_type, options, text) => {
    const emulator = await running()
    const { proposal_id: id } = (await propose(emulator, { voting_type, ...(options && { options }) })).data
    expect((await vote(emulator, id, text)).status).toBe(400)
  })

  it('is finalized once, and takes no votes after that', async () => {
    const emulator = await running()
    const { proposal_id: id } = (await propose(emulator, { voting_type: 'ranked', options: ['a', 'b', 'c'] })).data
    await vote(emulator, id, 'b, a')
    const { data } = await ask(emulator, `POST /proposals/${id}/finalize`, {})
    expect(data).toMatchObject({
      status: 'finalized',
      result: 'b',
      threshold_met: true,
      finalized_at: expect.any(String),
      tally: { a: 0, b: 1, c: 0 },
    })
    expect((await ask(emulator, `POST /proposals/${id}/finalize`, {})).status).toBe(409)
    expect((await vote(emulator, id, 'a', 'bob')).status).toBe(409)
    const count = async (status: string): Promise<number> =>
      (await ask(emulator, `GET /groups/${OPS}/proposals?status=${status}`)).data.proposals.length
    expect([await count('open'), await count('finalized')]).toEqual([0, 1])
  })

  it('counts a quorum against those who may vote', async () => {
    const emulator = await running()
    const finalized = async (body: object): Promise<unknown> => {
      const { proposal_id: id } = (await propose(emulator, { threshold_type: 'quorum' })).data
      await vote(emulator, id, 'yes')
      const answer = await ask(emulator, `POST /proposals/${id}/finalize`, body)
      return answer.data?.threshold_met ?? answer.status
    }
    expect(await finalized({})).toBe(true)
    expect(await finalized({ total_eligible_voters: 1 })).toBe(true)
    expect(await finalized({ total_eligible_voters: 2 })).toBe(false)
    expect(await finalized({ total_eligible_voters: 0 })).toBe(400)
  })

  it('takes no votes past its deadline', async () => {
    const clock = stillClock()
    const emulator = await running({ clock })
    const { proposal_id: id, deadline } = (await propose(emulator, { deadline_hours: 2 })).data
    expect(deadline).toBe('2026-03-01T14:00:00.000Z')
    clock.move(2 * 3_600_000)
    expect((await vote(emulator, id, 'yes')).status).toBe(200)
    clock.move(1)
    expect((await vote(emulator, id, 'yes', 'bob')).status).toBe(409)
  })

  it('answers 404 for what does not exist', async () => {
    const emulator = await running()
    for (const line of ['GET /proposals/none', 'POST /proposals/none/finalize'] as const) {
      expect((await ask(emulator, line)).status).toBe(404)
    }
    expect((await vote(emulator, 'none', 'yes')).status).toBe(404)
  })
})
