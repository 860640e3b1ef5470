import { describe, expect, it } from 'vitest'
import { ask, OPS, running, stillClock, SUPPORT } from '../support/running-emulator.ts'

describe('sending a clink', () => {
  it('puts it into the group, pending, with every required field and no absent one as null', async () => {
    const emulator = await running()
    const { status, data } = await ask(emulator, `POST /groups/${OPS}/clinks`, { content: 'hello' }, { as: 'alice' })
    expect(status).toBe(200)
    expect(Object.keys(data).sort()).toEqual([
      'clink_id',
      'content',
      'created_at',
      'group_id',
      'group_name',
      'group_slug',
      'sender_id',
      'sender_name',
      'status',
    ])
    expect(data).toMatchObject({ content: 'hello', sender_id: 'user_alice', status: 'pending', group_slug: 'ops' })
    expect(data.clink_id).toMatch(/^msg_/)
    expect(new Date(data.created_at).toISOString()).toBe(data.created_at)
  })

  it('addresses it to a user or an agent profile of the group', async () => {
    const emulator = await running()
    for (const to of ['user_bob', 'ap_worker']) {
      const { data } = await ask(emulator, `POST /groups/${OPS}/clinks`, { content: 'x', for: to }, { as: 'alice' })
      expect(data.for).toBe(to)
    }
  })

  it.each([
    ['a recipient who is no member', { content: 'x', for: 'user_nobody' }, OPS, 'alice', 400],
    ['a member of another group', { content: 'x', for: 'ap_worker' }, SUPPORT, 'alice', 400],
    ['an empty text', { content: '' }, OPS, 'alice', 400],
    ['no text', {}, OPS, 'alice', 400],
    ['a text that is a number', { content: 5 }, OPS, 'alice', 400],
    ['a text that is too long', { content: 'x'.repeat(4_097) }, OPS, 'alice', 400],
    ['a group that one is no member of', { content: 'x' }, SUPPORT, 'bob', 403],
    ['a group outside of the key', { content: 'x' }, SUPPORT, 'worker', 403],
    ['a group that does not exist', { content: 'x' }, 'nowhere', 'alice', 404],
  ])('refuses %s', async (_what, body, group, as, status) => {
    const emulator = await running()
    const answer = await ask(emulator, `POST /groups/${group}/clinks`, body, { as })
    expect(answer.status).toBe(status)
    expect(answer.json).toEqual({ success: false, error: expect.any(String), message: expect.any(String) })
    expect(emulator.clinks()).toEqual([])
  })

  it('takes 4096 characters', async () => {
    const emulator = await running()
    expect((await ask(emulator, `POST /groups/${OPS}/clinks`, { content: 'x'.repeat(4_096) })).status).toBe(200)
  })
})

describe('listing clinks', () => {
  it('shows every state, by group, status, recipient and time', async () => {
    const clock = stillClock()
    const emulator = await running({ clock })
    const old = emulator.send('ops', 'old')
    clock.move(1_000)
    const mine = emulator.send('ops', 'for alice', { from: 'bob', for: 'alice' })
    const far = emulator.send('support', 'far')
    await ask(emulator, `POST /clinks/${old.clink_id}/claim`, {})
    const listed = async (query: string): Promise<string[]> => {
      const { data } = await ask(emulator, `GET /clinks${query}`, undefined, { as: 'alice' })
      return data.clinks.map((clink: { clink_id: string }) => clink.clink_id)
    }
    expect(await listed('')).toEqual([old.clink_id, mine.clink_id, far.clink_id])
    expect(await listed(`?group_id=${SUPPORT}`)).toEqual([far.clink_id])
    expect(await listed('?status=claimed')).toEqual([old.clink_id])
    expect(await listed('?for_me=true')).toEqual([mine.clink_id])
    expect(await listed('?limit=1')).toEqual([old.clink_id])
    expect(await listed(`?since=${encodeURIComponent('2026-03-01T12:00:00.500Z')}`)).toEqual([
      mine.clink_id,
      far.clink_id,
    ])
    expect(await listed(`?since=${encodeURIComponent('2026-03-01T14:00:00.500+02:00')}`)).toHaveLength(2)
  })

  it('knows what somebody has read', async () => {
    const emulator = await running()
    emulator.send('ops', 'one')
    const unread = async (more = ''): Promise<number> =>
      (await ask(emulator, `GET /clinks?unread_only=true${more}`)).data.clinks.length
    expect(await unread()).toBe(1)
    expect(await unread('&mark_read=true')).toBe(1)
    expect(await unread()).toBe(0)
    emulator.send('ops', 'two')
    expect(await unread()).toBe(1)
    expect((await ask(emulator, 'POST /clinks/mark-read', { group_ids: [OPS] })).status).toBe(200)
    expect(await unread()).toBe(0)
    expect((await ask(emulator, 'GET /clinks?unread_only=true', undefined, { as: 'bob' })).data.clinks).toHaveLength(2)
  })

  it('counts what one sent oneself as read', async () => {
    const emulator = await running()
    emulator.send('ops', 'mine', { from: 'worker' })
    expect((await ask(emulator, 'GET /clinks?unread_only=true')).data.clinks).toEqual([])
    expect((await ask(emulator, 'GET /clinks')).data.clinks).toHaveLength(1)
  })

  it.each([
    'limit=0',
    'limit=x',
    'limit=1.5',
    'for_me=yes',
    'status=open',
    'since=yesterday',
    'since=5',
    'mark_read=1',
  ])('refuses %s and names it', async (query) => {
    const emulator = await running()
    const { status, json } = await ask(emulator, `GET /clinks?${query}`)
    expect(status).toBe(400)
    const [name = '', value = ''] = query.split('=')
    expect(json.message).toContain(`"${name}"`)
    expect(json.message).toContain(value)
  })

  it('marks nothing as read in a group that the key does not see', async () => {
    const emulator = await running()
    expect((await ask(emulator, 'POST /clinks/mark-read', { group_ids: [SUPPORT] })).status).toBe(403)
    expect((await ask(emulator, 'POST /clinks/mark-read', { group_ids: 'ops' })).status).toBe(400)
    expect((await ask(emulator, 'POST /clinks/mark-read', {})).status).toBe(400)
  })
})
