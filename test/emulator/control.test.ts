import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { controlCalls } from '../../src/emulator/control.ts'
import { defaultSeed, switchNames, switchSettings, type Emulator } from '../../src/emulator/emulator.ts'
import { ask, OPS, running, stillClock, type Answered } from '../support/running-emulator.ts'

/** A control call carries no key. */
const control = (emulator: Emulator, line: string, body?: unknown): Promise<Answered> => {
  const [method = '', path = ''] = line.split(' ')
  return ask(emulator, `${method} /_emulator${path}` as 'GET /', body, { headers: { authorization: '' } })
}

describe('control calls', () => {
  it('show and set switches', async () => {
    const emulator = await running()
    const shown = await control(emulator, 'GET /switches')
    expect(shown.data.switches.reclaim).toBe('renew')
    expect(shown.data.settings.reclaim).toEqual(['renew', 'refuse', 'ignore'])
    const set = await control(emulator, 'PATCH /switches', { reclaim: 'refuse', completeTwice: 200 })
    expect(set.data.switches).toMatchObject({ reclaim: 'refuse', completeTwice: '200' })
    expect(emulator.switches.reclaim).toBe('refuse')
    const bad = await control(emulator, 'PATCH /switches', { reclam: 'refuse' })
    expect([bad.status, bad.json.message]).toEqual([400, 'Unknown switch "reclam" (did you mean "reclaim"?)'])
  })

  it('add, list, remove and clear faults', async () => {
    const emulator = await running()
    const rule = { operation: 'check_inbox', then: { status: 503 } }
    const { data } = await control(emulator, 'POST /faults', rule)
    expect(data).toEqual({ id: data.id, rule, hits: 0 })
    expect((await ask(emulator, 'GET /inbox')).status).toBe(503)
    expect((await control(emulator, 'GET /faults')).data.faults).toEqual([{ id: data.id, rule, hits: 1 }])
    expect((await control(emulator, `DELETE /faults/${data.id}`)).status).toBe(200)
    expect((await control(emulator, `DELETE /faults/${data.id}`)).status).toBe(404)
    await control(emulator, 'POST /faults', rule)
    await control(emulator, 'DELETE /faults')
    expect((await ask(emulator, 'GET /inbox')).status).toBe(200)
    const bad = await control(emulator, 'POST /faults', { operation: 'check_inbx', nth: 0, then: { status: 99 } })
    expect(bad.status).toBe(400)
    expect(bad.json.message.split('\n')).toEqual([
      'fault rule: operation: "check_inbx" is not known (did you mean "check_inbox"?)',
      expect.stringMatching(/^fault rule: nth: .*\(got 0\)$/),
      expect.stringMatching(/^fault rule: then\.status: .*\(got 99\)$/),
    ])
  })

  it.each([
    [5_000, 5_000],
    ['1h', 3_600_000],
    ['-30s', -30_000],
  ])('move the clock by %s', async (move, ms) => {
    const emulator = await running({ clock: stillClock(0) })
    expect((await control(emulator, 'POST /clock', { move })).data).toEqual({ now: ms })
    expect((await control(emulator, 'GET /clock')).data).toEqual({ now: ms })
    expect(emulator.now()).toBe(ms)
  })

  it('send, show, change and tell the history of clinks', async () => {
    const emulator = await running()
    const { data } = await control(emulator, 'POST /clinks', {
      group: 'ops',
      content: 'work',
      from: 'bob',
      for: 'worker',
    })
    expect(data).toMatchObject({ content: 'work', sender_id: 'user_bob', for: 'ap_worker', status: 'pending' })
    expect((await control(emulator, 'GET /clinks')).data.clinks).toHaveLength(1)
    const changed = await control(emulator, `PATCH /clinks/${data.clink_id}`, { content: 'other' })
    expect(changed.data.content).toBe('other')
    expect((await control(emulator, `GET /clinks/${data.clink_id}`)).data.content).toBe('other')
    await ask(emulator, `POST /clinks/${data.clink_id}/claim`, {})
    const { data: told } = await control(emulator, `GET /clinks/${data.clink_id}/history`)
    expect(told.history).toMatchObject([
      { what: 'created' },
      { what: 'claimed', by: 'ap_worker', key: 'worker', session: 'one' },
    ])
    await control(emulator, `PATCH /clinks/${data.clink_id}`, { status: 'pending' })
    expect((await ask(emulator, 'GET /inbox')).data.clinks[0]).not.toHaveProperty('claimed_by')
    expect((await control(emulator, 'GET /clinks/none')).status).toBe(404)
    const bad = await control(emulator, `PATCH /clinks/${data.clink_id}`, { contents: 'x' })
    expect([bad.status, bad.json.message]).toEqual([400, 'clink: contents: unknown key (did you mean "content"?)'])
  })

  it('approve and expire for a human', async () => {
    const seed = { ...defaultSeed, groups: [{ slug: 'ops', id: OPS, owner: 'alice', hil: { checkpoints: true } }] }
    const emulator = await running({ seed })
    const { data } = await ask(emulator, `POST /groups/${OPS}/milestones`, {
      title: 'm',
      checkpoints: [{ title: 'c' }],
    })
    const complete = (): Promise<Answered> =>
      ask(emulator, `POST /milestones/${data.milestone_id}/checkpoints/1/complete`, {})
    const first = await complete()
    expect((await control(emulator, `POST /verifications/${first.data.verification_id}/expire`)).status).toBe(200)
    const second = await complete()
    expect(second.data.previous_verification_expired).toBe(true)
    expect((await control(emulator, `POST /verifications/${second.data.verification_id}/approve`)).status).toBe(200)
    expect((await control(emulator, 'GET /verifications')).data.verifications).toHaveLength(2)
    expect((await complete()).data.status).toBe('closed')
    expect((await control(emulator, 'POST /verifications/none/approve')).status).toBe(404)
  })

  it('let members leave and suspend keys', async () => {
    const emulator = await running()
    await control(emulator, 'POST /leave', { group: 'ops', member: 'bob' })
    expect((await ask(emulator, `GET /groups/${OPS}`, undefined, { as: 'bob' })).status).toBe(403)
    await control(emulator, 'POST /keys/worker/suspend')
    expect((await ask(emulator, 'GET /groups')).status).toBe(401)
    await control(emulator, 'POST /keys/worker/resume')
    expect((await ask(emulator, 'GET /groups')).status).toBe(200)
  })

  it('let users join, and give groups other slugs', async () => {
    const emulator = await running()
    const slugs = async (): Promise<unknown> => {
      const { data } = await ask(emulator, 'GET /groups', undefined, { as: 'bob' })
      return data.groups.map(({ slug }: { slug: string }) => slug)
    }
    await control(emulator, 'POST /join', { group: 'support', member: 'bob' })
    expect(await slugs()).toEqual(['ops', 'support'])
    await control(emulator, 'PATCH /groups/ops', { slug: 'platform' })
    expect(await slugs()).toEqual(['platform', 'support'])
    const taken = await control(emulator, `PATCH /groups/${OPS}`, { slug: 'support' })
    expect([taken.status, taken.json.message]).toEqual([400, 'The slug "support" is taken'])
  })

  it('say what a key may do from now on', async () => {
    const emulator = await running()
    await control(emulator, 'POST /keys/worker/permissions', { permissions: ['clinks:read'] })
    expect((await ask(emulator, 'GET /inbox')).status).toBe(200)
    expect((await ask(emulator, 'GET /inbox?claim=true')).status).toBe(403)
    await control(emulator, 'POST /keys/worker/permissions', { permissions: ['clinks:read', 'clinks:write'] })
    expect((await ask(emulator, 'GET /inbox?claim=true')).status).toBe(200)
  })

  it('list requests, their own not among them', async () => {
    const emulator = await running()
    await ask(emulator, 'GET /inbox')
    expect((await control(emulator, 'GET /requests')).data.requests).toMatchObject([{ n: 1, operation: 'check_inbox' }])
  })

  it('take the service away for a while', async () => {
    const emulator = await running()
    expect((await control(emulator, 'POST /disconnect', { for: 100 })).status).toBe(200)
    await expect(ask(emulator, 'GET /health')).rejects.toThrow('fetch failed')
    await expect
      .poll(() =>
        ask(emulator, 'GET /health').then(
          ({ status }) => status,
          () => 0,
        ),
      )
      .toBe(200)
  })

  it('are not answered to pages in a browser', async () => {
    const emulator = await running()
    const headers = { origin: 'https://example.test', authorization: '' }
    expect((await ask(emulator, 'GET /_emulator/clinks', undefined, { headers })).status).toBe(403)
  })

  it('do not bring the service back once it is closed', async () => {
    const emulator = await running()
    await control(emulator, 'POST /disconnect', { for: 1 })
    await emulator.close()
    await emulator.reconnect()
    await expect(ask(emulator, 'GET /health')).rejects.toThrow('fetch failed')
  })

  it.each([
    ['GET /nothing', undefined, 404],
    ['POST /clock', { move: 'soon' }, 400],
    ['POST /clock', '{', 400],
    ['POST /clinks', { group: 'ops' }, 400],
    ['POST /clinks', { group: 'opps', content: 'x' }, 400],
    ['POST /clinks', { group: 'ops', content: 'x', from: 'nobody' }, 400],
    ['POST /keys/none/suspend', undefined, 400],
    ['POST /keys/none/permissions', { permissions: [] }, 400],
    ['POST /keys/worker/permissions', { permissions: ['clinks:raed'] }, 400],
    ['POST /keys/worker/permissions', { permissions: 'clinks:read' }, 400],
  ])('%s with %j answers %i', async (line, body, status) => {
    const emulator = await running()
    expect((await control(emulator, line, body)).status).toBe(status)
  })
})

describe('docs/emulator.md', () => {
  it('names every control call, switch and setting', async () => {
    const page = await readFile(new URL('../../docs/emulator.md', import.meta.url), 'utf8')
    for (const call of controlCalls) {
      const [method = '', path = ''] = call.split(' ')
      expect(page).toContain(`\`${method} /_emulator${path}\``)
    }
    for (const name of switchNames) {
      expect(page).toContain(`\`${name}\``)
      for (const setting of switchSettings[name]) expect(page).toContain(setting)
    }
  })
})
