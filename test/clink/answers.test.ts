import { describe, expect, it } from 'vitest'
import { ClinkClient } from '../../src/clink/client.ts'
import { operationNames } from '../../src/clink/contract.ts'
import type { TransportResponse } from '../../src/clink/transport.ts'
import { answer, ok, ScriptedTransport } from '../support/scripted.ts'
import * as records from '../support/sample-records.ts'
import { sampleCalls } from '../support/sample-calls.ts'
import { untyped } from '../support/untyped.ts'

const answered = (response: TransportResponse): ClinkClient =>
  new ClinkClient({ key: 'sk_live_u_1', attempts: 1, transport: new ScriptedTransport(response) })

const lists = {
  list_groups: ['groups', 'group_id'],
  list_members: ['members', 'user_id'],
  get_clinks: ['clinks', 'clink_id'],
  check_inbox: ['clinks', 'clink_id'],
  list_milestones: ['milestones', 'milestone_id'],
  list_projects: ['projects', 'project_id'],
  list_project_milestones: ['milestones', 'milestone_id'],
  list_proposals: ['proposals', 'proposal_id'],
  list_pending_verifications: ['verifications', 'verification_id'],
} as const
const listNames = operationNames.filter((name): name is keyof typeof lists => name in lists)
const singles = operationNames.filter((name) => !(name in lists) && name !== 'mark_read' && name !== 'resolve_group')

describe('a successful answer', () => {
  it.each(singles)('to %s is its record, with unknown fields kept', async (name) => {
    const data = { ...sampleCalls[name].data, added_later: { deep: [1] } }
    expect(await untyped(answered(ok(data)), name, sampleCalls[name].params)).toEqual(data)
  })

  it.each(listNames)('to %s holds its records, with the list without malformed ones', async (name) => {
    const data = { ...sampleCalls[name].data, next_page: 'x' }
    expect(await untyped(answered(ok(data)), name, sampleCalls[name].params)).toEqual({ ...data, malformed: [] })
  })

  it.each(['check_inbox', 'get_clinks', 'mark_read', 'complete_clink'] as const)(
    'to %s leaves out a field beside its records that nobody could write',
    async (name) => {
      const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
      const body = JSON.stringify({ success: true, data: { ...sampleCalls[name].data, more: '[deep]', other: 1 } })
      const answer = { status: 200, headers: {}, body: body.replace('"[deep]"', deep) }
      const result = await untyped(answered(answer), name, sampleCalls[name].params)
      expect(JSON.parse(JSON.stringify(result))).toMatchObject({ other: 1 })
      expect(result).not.toHaveProperty('more')
    },
  )

  it.each(listNames)('to %s keeps the whole records when others are malformed', async (name) => {
    const [list, id] = lists[name]
    const [good] = [sampleCalls[name].data[list]].flat()
    const broken = { [id]: 'id_1' }
    const data = { [list]: [broken, good, null, 'text', {}], count: 5 }
    const result = await untyped(answered(ok(data)), name, sampleCalls[name].params)
    expect(result).toMatchObject({
      [list]: [good],
      malformed: [
        { id: 'id_1', record: broken },
        { id: undefined, record: null },
        { id: undefined, record: 'text' },
        { id: undefined, record: {} },
      ],
    })
  })

  it('says which field of a malformed record is wrong', async () => {
    const { content: _, ...rest } = records.clink
    const { malformed } = await answered(ok({ clinks: [{ ...rest, status: 7 }], count: 1 })).checkInbox()
    expect(malformed).toHaveLength(1)
    expect(malformed[0]?.id).toBe('msg_1')
    expect(malformed[0]?.problem).toMatch(/^content: .*; status: /)
  })

  it('may have null for optional fields and any value where the service may add some', async () => {
    const odd = { ...records.clink, status: 'snoozed', claimed_by: null, claim_expires_at: null, for: null }
    expect(await answered(ok(odd)).claimClink({ clink_id: 'msg_1' })).toEqual(odd)
  })

  it.each([
    ['complete_checkpoint', sampleCalls.complete_checkpoint.params],
    ['cast_vote', sampleCalls.cast_vote.params],
  ])('to %s may ask for a human first', async (name, params) => {
    expect(await untyped(answered(ok(records.hilRequired)), name, params)).toEqual(records.hilRequired)
  })

  it('to mark_read is whatever object it holds', async () => {
    expect(await answered(ok({ marked: 3 })).markRead({ group_ids: ['g1'] })).toEqual({ marked: 3 })
  })

  it('may leave out a comment that was not given with a vote', async () => {
    const votes = [{ voter_id: 'u1', vote: 'yes', voted_at: '2026-11-01T10:00:00Z' }]
    const proposal = await answered(ok({ ...records.proposal, votes })).getProposal({ proposal_id: 'prop_1' })
    expect(proposal.votes).toEqual([{ ...votes[0], comment: null }])
  })

  it('of the inbox keeps the numbers that the service gives', async () => {
    const page = await answered(ok({ clinks: [records.clink], count: 7, claimed_count: 0 })).checkInbox({ claim: true })
    expect([page.count, page.claimed_count]).toEqual([7, 0])
  })

  it('of a claiming poll stays usable without its numbers', async () => {
    const page = await answered(ok({ clinks: [records.clink, {}], claimed_count: null })).checkInbox({ claim: true })
    expect(page).toMatchObject({ count: 2, clinks: [records.clink] })
    expect(page.claimed_count ?? undefined).toBeUndefined()
  })
})

it('to a clink that was sent names its sender only by a text', async () => {
  const sent = answered(ok({ ...records.clink, sender_id: 4711 })).sendClink({ group_id: 'g1', content: 'x' })
  await expect(sent).resolves.toMatchObject({ clink_id: records.clink.clink_id, sender_id: '' })
})

describe('an answer of status 200 is an error', () => {
  const unreadable: readonly (readonly [string, string])[] = [
    ['that is a page', '<html>Sign in to the Wi-Fi</html>'],
    ['that is empty', ''],
    ['that is cut', '{"success":true,"data":{"clink_id":"ms'],
    ['that is a list', '[]'],
    ['that is null', 'null'],
    ['without the word success', JSON.stringify({ data: records.clink })],
    ['with success as text', JSON.stringify({ success: 'true', data: records.clink })],
    ['without data', '{"success":true}'],
    ['whose record lacks its id', JSON.stringify({ success: true, data: { content: 'x' } })],
  ]
  it.each(unreadable)('%s', async (_, body) => {
    const sent = answered(answer(200, body)).sendClink({ group_id: 'g1', content: 'x' })
    await expect(sent).rejects.toMatchObject({
      name: 'ClinkApiError',
      status: 200,
      failure: 'unreadable',
      mayHaveHappened: true,
    })
  })

  it.each(listNames)('to %s when its list is missing', async (name) => {
    await expect(untyped(answered(ok({})), name, sampleCalls[name].params)).rejects.toMatchObject({
      status: 200,
      failure: 'unreadable',
    })
  })

  it('that says success false', async () => {
    const sent = answered(answer(200, { success: false, error: 'busy', message: 'Later' })).markRead({ group_ids: [] })
    await expect(sent).rejects.toMatchObject({
      status: 200,
      failure: undefined,
      detail: 'busy',
      message: 'mark_read: 200 OK: Later',
      mayHaveHappened: true,
    })
  })
})

describe('a refusal', () => {
  const refusals: readonly (readonly [unknown, string | undefined, string])[] = [
    [{ success: false, error: 'not_yours', message: 'It is not yours' }, 'not_yours', '403 Forbidden: It is not yours'],
    [{ success: false, error: 'not_yours' }, 'not_yours', '403 Forbidden: not_yours'],
    [{ success: false, message: 'It is not yours' }, undefined, '403 Forbidden: It is not yours'],
    [{ success: false, error: { odd: 1 }, message: null }, undefined, '403 Forbidden: no reason given'],
  ]
  it.each(refusals)('%j is told with status, detail and message', async (body, detail, message) => {
    await expect(answered(answer(403, body)).completeClink({ clink_id: 'msg_1' })).rejects.toMatchObject({
      name: 'ClinkApiError',
      status: 403,
      detail,
      message: `complete_clink: ${message}`,
      operation: 'complete_clink',
      mayHaveHappened: false,
      failure: undefined,
      retryAfter: undefined,
    })
  })

  it('of endless length is cut', async () => {
    const failed = answered(
      answer(400, { success: false, error: 'e'.repeat(9_999), message: 'm'.repeat(9_999) }),
    ).listGroups()
    await expect(failed).rejects.toSatisfy(
      (error) => error instanceof Error && error.message.length < 600 && JSON.stringify(error).length < 800,
    )
  })

  it('by redirect names where to, without what may be secret in it', async () => {
    const location = 'https://bob:topsecret@else.example/login?token=topsecret'
    const failed = answered(answer(302, '', { location })).listGroups()
    await expect(failed).rejects.toThrow(
      'list_groups: 302 Found: a redirect to https://…@else.example/login is not followed; the address of Clink must be the one that answers',
    )
  })
})
