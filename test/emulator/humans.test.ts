import { describe, expect, it } from 'vitest'
import { defaultSeed, type Emulator, type Seed } from '../../src/emulator/emulator.ts'
import { ask, OPS, running, stillClock, SUPPORT, type Answered } from '../support/running-emulator.ts'

/** The usual seed, with a human asked in the first group. */
const seed: Seed = {
  ...defaultSeed,
  groups: defaultSeed.groups.map((group) =>
    group.slug === 'ops' ? { ...group, hil: { checkpoints: true, votes: true, approver: 'bob' } } : group,
  ),
}

async function checkpoint(emulator: Emulator): Promise<(body?: object) => Promise<Answered>> {
  const { data } = await ask(emulator, `POST /groups/${OPS}/milestones`, { title: 'm', checkpoints: [{ title: 'c' }] })
  return (body = {}) => ask(emulator, `POST /milestones/${data.milestone_id}/checkpoints/1/complete`, body)
}

const pending = async (emulator: Emulator, more = ''): Promise<Record<string, unknown>[]> =>
  (await ask(emulator, `GET /groups/${OPS}/hil/pending${more}`)).data.verifications

describe('a human in the loop', () => {
  it('is asked first: new, then pending with the same id, then done when approved', async () => {
    const emulator = await running({ clock: stillClock(), seed })
    const complete = await checkpoint(emulator)
    const first = await complete()
    expect(first.status).toBe(200)
    expect(first.data).toEqual({
      verification_required: true,
      verification_id: expect.stringMatching(/./),
      message: expect.any(String),
      verification_status: 'new',
      expires_in_seconds: 300,
      expires_at: '2026-03-01T12:05:00.000Z',
      sent_to: ['bob@example.test'],
    })
    const again = await complete()
    expect(again.data).toMatchObject({ verification_status: 'pending', verification_id: first.data.verification_id })
    expect(again.data).not.toHaveProperty('sent_to')
    expect(await pending(emulator)).toEqual([
      {
        verification_id: first.data.verification_id,
        target_type: 'checkpoint',
        status: 'pending',
        expires_at: '2026-03-01T12:05:00.000Z',
        requested_by: 'ap_worker',
        requester_name: 'worker',
        requested_at: '2026-03-01T12:00:00.000Z',
        group_id: OPS,
        group_name: 'Operations',
        milestone_id: expect.stringMatching(/^ms_/),
        milestone_title: 'm',
        checkpoint_order: 1,
        checkpoint_title: 'c',
      },
    ])
    emulator.approve(first.data.verification_id)
    expect((await complete()).data).toMatchObject({ status: 'closed', checkpoints: [{ completed_by: 'ap_worker' }] })
    expect(await pending(emulator)).toEqual([])
    expect(() => emulator.approve(first.data.verification_id)).toThrow('approved already')
  })

  it('is asked anew when the time ran out, or was let run out', async () => {
    const clock = stillClock()
    const emulator = await running({ clock, seed })
    const complete = await checkpoint(emulator)
    const first = await complete({ hil_expiry_seconds: 60 })
    expect(first.data).toMatchObject({ expires_in_seconds: 60 })
    clock.move(60_000)
    expect(await pending(emulator)).toEqual([])
    expect(() => emulator.approve(first.data.verification_id)).toThrow('run out')
    const second = await complete()
    expect(second.data).toMatchObject({ verification_status: 'new', previous_verification_expired: true })
    expect(second.data.verification_id).not.toBe(first.data.verification_id)
    emulator.expire(second.data.verification_id)
    expect((await complete()).data).toMatchObject({ verification_status: 'new', previous_verification_expired: true })
  })

  it.each([59, 172_801, 1.5, 'soon'])('has not %j seconds', async (seconds) => {
    const emulator = await running({ seed })
    const complete = await checkpoint(emulator)
    expect((await complete({ hil_expiry_seconds: seconds })).status).toBe(400)
    expect(emulator.verifications()).toEqual([])
  })

  it('approves a vote, which then counts for who cast it', async () => {
    const emulator = await running({ seed })
    const { data } = await ask(emulator, `POST /groups/${OPS}/proposals`, { title: 'p' })
    const vote = (): Promise<Answered> =>
      ask(emulator, `POST /proposals/${data.proposal_id}/vote`, { vote: 'yes', comment: 'why not' })
    const { verification_id } = (await vote()).data
    expect((await vote()).data).toMatchObject({ verification_id, verification_status: 'pending' })
    expect(await pending(emulator, '?limit=1')).toMatchObject([
      {
        target_type: 'vote',
        proposal_id: data.proposal_id,
        proposal_title: 'p',
        proposal_options: ['yes', 'no'],
        voting_type: 'yes_no',
      },
    ])
    expect((await ask(emulator, `GET /proposals/${data.proposal_id}`)).data.vote_count).toBe(0)
    emulator.approve(verification_id)
    expect((await ask(emulator, `GET /proposals/${data.proposal_id}`)).data.votes).toMatchObject([
      { voter_id: 'ap_worker', vote: 'yes', comment: 'why not' },
    ])
    expect((await vote()).status).toBe(409)
  })

  it('is not asked about what cannot be done anyway', async () => {
    const emulator = await running({ seed })
    const { data } = await ask(emulator, `POST /groups/${OPS}/milestones`, {
      title: 'm',
      checkpoints: [{ title: 'a' }, { title: 'b', depends_on: [1] }],
    })
    expect((await ask(emulator, `POST /milestones/${data.milestone_id}/checkpoints/2/complete`, {})).status).toBe(409)
    expect(emulator.verifications()).toEqual([])
  })

  it('is not asked in groups without that setting', async () => {
    const emulator = await running({ seed })
    const body = { title: 'm', checkpoints: [{ title: 'c' }] }
    const { data } = await ask(emulator, `POST /groups/${SUPPORT}/milestones`, body, { as: 'alice' })
    const done = await ask(
      emulator,
      `POST /milestones/${data.milestone_id}/checkpoints/1/complete`,
      {},
      { as: 'alice' },
    )
    expect(done.data.status).toBe('closed')
  })

  it('does not know verifications that do not exist', async () => {
    const emulator = await running({ seed })
    expect(() => emulator.approve('none')).toThrow('No verification "none"')
    expect((await ask(emulator, `GET /groups/${SUPPORT}/hil/pending`)).status).toBe(403)
  })
})

describe('feedback', () => {
  const give = (emulator: Emulator, body: object = {}, as = 'feedback'): Promise<Answered> =>
    ask(emulator, 'POST /feedback', { category: 'bug', content: 'It is slow', ...body }, { as })

  it('is taken from keys that may give it', async () => {
    const emulator = await running()
    const { data } = await give(emulator, { context: { tool: 'inbox' } })
    expect(data).toEqual({ feedback_id: expect.any(String), category: 'bug', submitted_at: expect.any(String) })
    expect((await give(emulator, {}, 'worker')).status).toBe(403)
  })

  it.each([[{ category: 'praise' }], [{ content: '' }], [{ content: 'x'.repeat(8_193) }], [{ context: 'inbox' }]])(
    'refuses %j',
    async (body) => {
      const emulator = await running()
      expect((await give(emulator, body)).status).toBe(400)
      expect((await give(emulator, { content: 'x'.repeat(8_192) })).status).toBe(200)
    },
  )

  it('is taken five times a minute and ten times a day', async () => {
    const clock = stillClock()
    const emulator = await running({ clock })
    for (let n = 0; n < 5; n += 1) expect((await give(emulator)).status).toBe(200)
    const refused = await give(emulator)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60'])
    clock.move(60_000)
    for (let n = 0; n < 5; n += 1) expect((await give(emulator)).status).toBe(200)
    clock.move(60_000)
    const full = await give(emulator)
    expect([full.status, full.headers.get('retry-after')]).toEqual([429, String(86_400 - 120)])
    clock.move(86_400_000)
    expect((await give(emulator)).status).toBe(200)
  })
})
