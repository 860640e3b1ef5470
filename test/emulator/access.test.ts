import { describe, expect, it } from 'vitest'
import { operationNames, operations, type OperationName } from '../../src/clink/contract.ts'
import { permissionNames } from '../../src/emulator/permissions.ts'
import { startEmulator } from '../../src/emulator/emulator.ts'
import { ask, OPS, running, SUPPORT } from '../support/running-emulator.ts'

/** What each operation needs, written from the API's document. */
const needs: Readonly<Record<OperationName, string | undefined>> = {
  list_groups: undefined,
  resolve_group: undefined,
  get_group: undefined,
  list_members: 'members:read',
  get_clinks: 'clinks:read',
  mark_read: 'clinks:read',
  send_clink: 'clinks:write',
  check_inbox: 'clinks:read',
  claim_clink: 'clinks:write',
  release_clink: 'clinks:write',
  complete_clink: 'clinks:write',
  create_milestone: 'milestones:write',
  list_milestones: 'milestones:read',
  get_milestone: 'milestones:read',
  update_milestone: 'milestones:write',
  add_checkpoint: 'milestones:write',
  update_checkpoint: 'milestones:write',
  delete_checkpoint: 'milestones:write',
  complete_checkpoint: 'milestones:complete',
  reopen_milestone: 'milestones:write',
  create_project: 'projects:write',
  list_projects: 'projects:read',
  get_project: 'projects:read',
  update_project: 'projects:write',
  complete_project: 'projects:write',
  archive_project: 'projects:write',
  reopen_project: 'projects:write',
  list_project_milestones: 'milestones:read',
  create_proposal: 'proposals:create',
  list_proposals: 'proposals:read',
  get_proposal: 'proposals:read',
  cast_vote: 'proposals:vote',
  finalize_proposal: 'proposals:create',
  submit_feedback: 'feedback',
  get_my_permissions: undefined,
  list_pending_verifications: undefined,
}

/** A request that is well formed; whether what it names exists does not matter here. */
function sample(name: OperationName): { readonly line: `GET ${string}`; readonly body: unknown } {
  const { method, path, parameters } = operations[name]
  const query = new URLSearchParams()
  const body: Record<string, unknown> = {}
  for (const [parameter, { in: where, required, type, values }] of Object.entries(parameters)) {
    if (required !== true) continue
    const value = type === 'strings' ? [] : type === 'list' ? [{ title: 'x' }] : (values?.[0] ?? 'yes')
    if (where === 'query') query.set(parameter, 'ops')
    if (where === 'body') body[parameter] = value
  }
  const filled = path
    .replace('{group_id}', OPS)
    .replace('{order}', '1')
    .replaceAll(/\{\w+\}/g, 'none')
  const search = query.size === 0 ? '' : `?${query.toString()}`
  const line = `${method} ${filled}${search}` as `GET ${string}`
  return { line, body: method === 'GET' ? undefined : body }
}

describe('permissions', () => {
  it('each operation is refused without its permission, named, and not refused with it alone', async () => {
    const emulator = await running({
      seed: {
        users: [{ name: 'alice' }],
        groups: [{ slug: 'ops', id: OPS, owner: 'alice' }],
        keys: [
          { name: 'none', owner: 'alice', permissions: [] },
          ...permissionNames.map((name) => ({ name, owner: 'alice', permissions: [name] })),
          ...permissionNames.map((left) => ({
            name: `all-but-${left}`,
            owner: 'alice',
            permissions: permissionNames.filter((name) => name !== left),
          })),
        ],
      },
    })
    for (const name of operationNames) {
      const needed = needs[name]
      const { line, body } = sample(name)
      const keys = needed === undefined ? ['none'] : [needed]
      for (const as of keys) {
        const { status, json } = await ask(emulator, line, body, { as })
        expect({ name, as, error: json.error, ok: status < 500 }).not.toMatchObject({ error: 'permission_denied' })
      }
      for (const as of needed === undefined ? [] : ['none', `all-but-${needed}`]) {
        const { status, json } = await ask(emulator, line, body, { as })
        expect({ name, as, status, error: json.error }).toEqual({ name, as, status: 403, error: 'permission_denied' })
        expect(json.message).toContain(needed)
      }
    }
  })

  it('tells what the key may do', async () => {
    const emulator = await running()
    const { data } = await ask(emulator, 'GET /api-keys/me/permissions', undefined, { as: 'readonly' })
    expect(data).toMatchObject({ scope_type: 'group', scope_id: OPS, owner_type: 'agent_profile' })
    expect(Object.entries(data.permissions).filter(([, granted]) => granted === true)).toEqual([['clinks:read', true]])
    expect(Object.keys(data.permissions).sort()).toEqual([...permissionNames].sort())
    expect(data.permissions_info['clinks:read']).toEqual({ granted: true, description: expect.any(String) })
    const user = await ask(emulator, 'GET /api-keys/me/permissions', undefined, { as: 'alice' })
    expect(user.data).toMatchObject({ scope_type: 'user', scope_id: 'user_alice', owner_type: 'user' })
    expect(user.data.permissions.feedback).toBe(false)
  })
})

describe('keys', () => {
  it.each([
    ['missing', { authorization: '' }],
    ['of another scheme', { authorization: 'Basic abc' }],
    ['unknown', { authorization: 'Bearer sk_live_u_nobody' }],
    ['not a key', { authorization: 'Bearer' }],
  ])('401 when it is %s', async (_what, headers) => {
    const emulator = await running()
    const { status, json } = await ask(emulator, 'GET /groups', undefined, { headers })
    expect(status).toBe(401)
    expect(json).toEqual({ success: false, error: 'unauthorized', message: expect.any(String) })
  })

  it('401 when it is suspended, until it is not', async () => {
    const emulator = await running()
    expect((await ask(emulator, 'GET /groups', undefined, { as: 'suspended' })).status).toBe(401)
    emulator.suspendKey('worker')
    expect((await ask(emulator, 'GET /groups')).status).toBe(401)
    emulator.suspendKey('worker', false)
    expect((await ask(emulator, 'GET /groups')).status).toBe(200)
  })

  it('sees all groups of its user, or the one that it is limited to', async () => {
    const emulator = await running()
    const slugs = async (as: string): Promise<string[]> =>
      (await ask(emulator, 'GET /groups', undefined, { as })).data.groups.map(({ slug }: { slug: string }) => slug)
    expect(await slugs('alice')).toEqual(['ops', 'support'])
    expect(await slugs('bob')).toEqual(['ops'])
    expect(await slugs('worker')).toEqual(['ops'])
  })

  it('start as the service’s keys do, the worker’s first', async () => {
    const emulator = await running()
    expect(emulator.key).toBe(emulator.keys['worker'])
    expect(emulator.keys['worker']).toMatch(/^sk_live_g_/)
    expect(emulator.keys['alice']).toMatch(/^sk_live_u_/)
  })

  it('never show in the record of requests', async () => {
    const emulator = await running()
    await ask(emulator, 'GET /inbox')
    await ask(emulator, 'GET /groups', undefined, { as: 'sk_live_u_wrong' })
    expect(JSON.stringify(emulator.requests())).not.toContain('sk_live')
    expect(emulator.requests().map(({ key }) => key)).toEqual(['worker', undefined])
  })
})

describe('groups', () => {
  it('are found by id and by slug', async () => {
    const emulator = await running()
    const one = await ask(emulator, `GET /groups/${OPS}`)
    expect(one.data).toMatchObject({
      group_id: OPS,
      name: 'Operations',
      slug: 'ops',
      owner_id: 'user_alice',
      role: 'member',
    })
    expect((await ask(emulator, 'GET /groups?slug=ops')).data.groups).toEqual([one.data])
    expect((await ask(emulator, 'GET /groups?slug=support')).data.groups).toEqual([])
    expect((await ask(emulator, `GET /groups/${SUPPORT}`)).status).toBe(403)
    expect((await ask(emulator, 'GET /groups/none')).status).toBe(404)
  })

  it('list people and agents as members', async () => {
    const emulator = await running()
    const { data } = await ask(emulator, `GET /groups/${OPS}/members`)
    expect(
      data.members.map((member: Record<string, unknown>) => [member['user_id'], member['role'], member['member_type']]),
    ).toEqual([
      ['user_alice', 'admin', 'user'],
      ['user_bob', 'member', 'user'],
      ['user_robot', 'member', 'user'],
      ['ap_worker', 'member', 'agent_profile'],
      ['ap_helper', 'member', 'agent_profile'],
    ])
    expect(data.members[0]).toMatchObject({ name: 'alice', email: 'alice@example.test', joined_at: expect.any(String) })
  })
})

describe('requests that fit nothing', () => {
  it.each([
    ['GET /nowhere', 404],
    ['GET /', 404],
    ['GET /inbox/', 404],
    ['GET /clinks//claim', 404],
    ['PUT /groups', 405],
    ['GET /clinks/x/claim', 405],
    ['POST /clinks/%zz/claim', 400],
    ['PATCH /milestones/x/checkpoints/one', 400],
  ] as const)('%s answers %i', async (line, status) => {
    const emulator = await running()
    const answer = await ask(emulator, line)
    expect(answer.status).toBe(status)
    expect(answer.json).toMatchObject({ success: false, error: expect.any(String), message: expect.any(String) })
  })

  it.each(['{', '[]', '"text"', '5', 'null!'])('the body %j answers 400', async (body) => {
    const emulator = await running()
    expect((await ask(emulator, `POST /groups/${OPS}/clinks`, body)).status).toBe(400)
  })

  it('a body above 1 MiB answers 413', async () => {
    const emulator = await running()
    const { status } = await ask(emulator, `POST /groups/${OPS}/clinks`, { content: 'x'.repeat(1_100_000) })
    expect(status).toBe(413)
  })

  it('GET /health answers without a key', async () => {
    const emulator = await running()
    const { status, json } = await ask(emulator, 'GET /health', undefined, { headers: { authorization: '' } })
    expect(status).toBe(200)
    expect(json.success).toBe(true)
  })

  it('ids in a path are percent-decoded', async () => {
    const emulator = await running()
    const { json } = await ask(emulator, 'GET /groups/a%2Fb%20c')
    expect(json.message).toContain('a/b c')
  })
})

describe('a port', () => {
  it('that is in use is one clear line', async () => {
    const emulator = await running()
    await expect(startEmulator({ port: emulator.port })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: `Port ${emulator.port} on 127.0.0.1 is in use already; choose another`,
    })
  })
})
