import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createEmulator, defaultSeed, startEmulator, type Seed } from '../../src/emulator/emulator.ts'
import { ask, OPS, running, stillClock } from '../support/running-emulator.ts'

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'emulator-'))
  onTestFinished(() => rm(path, { recursive: true }))
  return path
}

async function file(name: string, text: string): Promise<string> {
  const path = join(await directory(), name)
  await writeFile(path, text)
  return path
}

describe('a data file', () => {
  it('keeps everything across restarts, ids and the moved clock included', async () => {
    const data = join(await directory(), 'clink.json')
    const first = await startEmulator({ data })
    const held = first.send('ops', 'held')
    await ask(first, `POST /clinks/${held.clink_id}/claim`, {})
    await ask(first, `POST /groups/${OPS}/milestones`, {
      title: 'm',
      checkpoints: [{ title: 'c', requires_consensus: true }],
    })
    await ask(first, `POST /groups/${OPS}/projects`, { title: 'p' })
    await ask(first, 'GET /clinks?mark_read=true')
    first.moveClock(60_000)
    const { url: _url, ...before } = await everything(first)
    await first.close()

    const second = await running({ data })
    const { url: _other, ...after } = await everything(second)
    expect(after).toEqual(before)
    expect(Math.abs(second.now() - Date.now() - 60_000)).toBeLessThan(10_000)
    expect(second.history(held.clink_id)).toHaveLength(2)
    expect((await ask(second, `POST /clinks/${held.clink_id}/complete`, {})).status).toBe(200)
    const fresh = second.send('ops', 'fresh')
    expect(fresh.seq).toBe(2)
    expect(before.clinks.map(({ clink_id }) => clink_id)).not.toContain(fresh.clink_id)
  })

  it('still lets a claim run out after a restart', async () => {
    const data = join(await directory(), 'clink.json')
    const first = await startEmulator({ data })
    const { clink_id } = first.send('ops', 'held')
    await ask(first, `POST /clinks/${clink_id}/claim`, { timeout_seconds: 10 })
    await first.close()
    const second = await running({ data })
    second.moveClock(10_000)
    expect((await ask(second, 'GET /inbox')).data.count).toBe(1)
  })

  it('is written while the emulator runs, as a whole', async () => {
    const path = await directory()
    const emulator = await running({ data: join(path, 'clink.json') })
    emulator.send('ops', 'kept')
    await expect.poll(() => readdir(path)).toEqual(['clink.json'])
    expect(JSON.parse(await readFile(join(path, 'clink.json'), 'utf8'))).toMatchObject({
      format: 1,
      clinks: { clinks: [{ content: 'kept' }] },
    })
  })

  it.each(['{', '[]', '{"format": 2}', 'null'])('is refused when it holds %s', async (text) => {
    const data = await file('clink.json', text)
    await expect(startEmulator({ data })).rejects.toMatchObject({
      code: 'FILE_INVALID',
      message: expect.stringContaining(data),
    })
  })

  it('in a directory that does not exist is an error at once', async () => {
    const data = join(await directory(), 'nowhere', 'clink.json')
    await expect(startEmulator({ data })).rejects.toMatchObject({
      code: 'FILE_INVALID',
      message: expect.stringContaining(data),
    })
  })

  it('that cannot be written any more is an error at the end', async () => {
    const path = join(await directory(), 'kept')
    await mkdir(path)
    const emulator = await startEmulator({ data: join(path, 'clink.json') })
    await rm(path, { recursive: true })
    await expect(emulator.close()).rejects.toMatchObject({ code: 'FILE_INVALID' })
  })

  async function everything(emulator: Awaited<ReturnType<typeof startEmulator>>) {
    const list = async (path: string): Promise<unknown> => (await ask(emulator, `GET ${path}` as 'GET /')).data
    return {
      url: emulator.url,
      clinks: emulator.clinks(),
      keys: emulator.keys,
      key: emulator.key,
      groups: await list('/groups'),
      milestones: await list(`/groups/${OPS}/milestones`),
      projects: await list(`/groups/${OPS}/projects`),
      proposals: await list(`/groups/${OPS}/proposals`),
      unread: await list('/clinks?unread_only=true'),
    }
  }
})

describe('a seed', () => {
  it('may be a YAML file', async () => {
    const seed = await file(
      'seed.yaml',
      `users:
  - name: ann
agents:
  - { name: bot, group: lab }
groups:
  - { slug: lab, owner: ann }
keys:
  - { name: bot, owner: bot }
  - { name: ann, owner: ann, key: sk_live_u_ann }
clinks:
  - { group: lab, from: ann, for: bot, content: Hello }
`,
    )
    const emulator = await running({ seed })
    expect(emulator.keys).toEqual({ bot: 'sk_live_g_emulator_bot', ann: 'sk_live_u_ann' })
    expect((await ask(emulator, 'GET /inbox', undefined, { as: 'bot' })).data.clinks).toMatchObject([
      { content: 'Hello', sender_name: 'ann', for: 'ap_bot', group_name: 'lab' },
    ])
    expect((await ask(emulator, 'GET /groups', undefined, { as: 'ann' })).data.groups[0].group_id).toMatch(
      /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
    )
  })

  it('names file, line and value of each mistake', async () => {
    const seed = await file(
      'seed.yaml',
      `users:
  - name: ann
    emial: ann@example.test
groups:
  - slug: The Lab
    owner: ann
keys:
  - name: ann
    owner: ann
    permissions: [clinks:reed]
    key: secret
`,
    )
    const failure = await startEmulator({ seed }).then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(failure).toMatchObject({ code: 'FILE_INVALID' })
    expect((failure as Error).message.split('\n').sort()).toEqual([
      `${seed}:10: keys[0].permissions[0]: "clinks:reed" is not known (did you mean "clinks:read"?)`,
      `${seed}:11: keys[0].key: must start with sk_live_ and go on with letters, digits and . : _ - (got "secret")`,
      `${seed}:3: users[0].emial: unknown key (did you mean "email"?)`,
      `${seed}:5: groups[0].slug: must be lower case letters, digits and hyphens (got "The Lab")`,
    ])
  })

  it.each<[string, (seed: Seed) => Seed, string]>([
    [
      'an owner',
      (seed) => ({ ...seed, keys: [{ name: 'x', owner: 'alise' }] }),
      'keys[0].owner: is no user or agent (did you mean "alice"?) (got "alise")',
    ],
    [
      'a group',
      (seed) => ({ ...seed, agents: [...(seed.agents ?? []), { name: 'bot', group: 'opps' }] }),
      'agents[2].group: is no group (did you mean "ops"?) (got "opps")',
    ],
    [
      'a member',
      (seed) => ({ ...seed, groups: [{ slug: 'ops', owner: 'alice', members: ['worker'] }] }),
      'groups[0].members[0]: is no user (got "worker")',
    ],
    [
      'an approver',
      (seed) => ({ ...seed, groups: [{ slug: 'ops', owner: 'alice', hil: { approver: 'zed' } }] }),
      'groups[0].hil.approver: is no user (got "zed")',
    ],
    [
      'a key’s group',
      (seed) => ({ ...seed, keys: [{ name: 'x', owner: 'alice', group: 'zed' }] }),
      'keys[0].group: is no group (got "zed")',
    ],
    [
      'a sender',
      (seed) => ({ ...seed, clinks: [{ group: 'support', from: 'bob', content: 'x' }] }),
      'clinks[0].from: is no member of the group (got "bob")',
    ],
    [
      'a recipient',
      (seed) => ({ ...seed, clinks: [{ group: 'support', from: 'alice', for: 'worker', content: 'x' }] }),
      'clinks[0].for: is no member of the group (got "worker")',
    ],
    [
      'two of one name',
      (seed) => ({ ...seed, users: [...seed.users, { name: 'worker' }] }),
      'agents[0].name: is there twice (got "worker")',
    ],
    [
      'two groups of one name',
      (seed) => ({ ...seed, groups: [...seed.groups, { slug: 'ops', owner: 'bob' }] }),
      'groups[2].slug: is there twice (got "ops")',
    ],
    [
      'two keys of one name',
      (seed) => ({ ...seed, keys: [...seed.keys, { name: 'bob', owner: 'bob' }] }),
      'keys[8].name: is there twice (got "bob")',
    ],
  ])('names %s that is wrong', async (_what, change, message) => {
    const failure = startEmulator({ seed: change(defaultSeed) })
    await expect(failure).rejects.toMatchObject({ code: 'FILE_INVALID' })
    await expect(failure).rejects.toThrow(message)
  })

  it('names the line of what refers to nothing', async () => {
    const text = 'users: [{ name: ann }]\ngroups:\n  - slug: lab\n    owner: anne\nkeys: [{ name: ann, owner: ann }]\n'
    const seed = await file('seed.yaml', text)
    const message = `${seed}:4: groups[0].owner: is no user (did you mean "ann"?) (got "anne")`
    await expect(startEmulator({ seed })).rejects.toMatchObject({ code: 'FILE_INVALID', message })
  })

  it('that cannot be read or is no YAML says so', async () => {
    await expect(startEmulator({ seed: '/nowhere/seed.yaml' })).rejects.toThrow('Cannot read /nowhere/seed.yaml')
    const broken = await file('seed.yaml', 'users: [\n  - }')
    await expect(startEmulator({ seed: broken })).rejects.toThrow(`${broken}:2: `)
  })
})

describe('a fault file', () => {
  it('holds rules as YAML or JSON', async () => {
    const rules = [
      '- { operation: check_inbox, nth: 1, then: { status: 503, headers: { retry-after: "1" } } }',
      '[{"operation": "check_inbox", "nth": 1, "then": {"status": 503, "headers": {"retry-after": "1"}}}]',
    ]
    for (const text of rules) {
      const emulator = await running({ faults: await file('faults.yaml', text) })
      expect((await ask(emulator, 'GET /inbox')).headers.get('retry-after')).toBe('1')
      expect((await ask(emulator, 'GET /inbox')).status).toBe(200)
    }
  })

  it('names file, line and value of each bad rule', async () => {
    const faults = await file(
      'faults.yaml',
      '- then: { status: 503 }\n- then: { cut: during }\n- { nht: 1, then: { delayBefore: soon } }\n- {}\n',
    )
    await expect(startEmulator({ faults })).rejects.toMatchObject({
      code: 'FILE_INVALID',
      message: [
        `${faults}:2: [1].then.cut: "during" is not known: it takes before, after`,
        `${faults}:3: [2].then.delayBefore: must be milliseconds or a duration such as 2s (got "soon")`,
        `${faults}:3: [2].nht: unknown key (did you mean "nth"?)`,
        `${faults}:4: [3].then: is missing`,
      ].join('\n'),
    })
  })
})

describe('an emulator without a port', () => {
  const headers = { authorization: 'Bearer sk_live_g_emulator_worker', 'x-clink-session-id': 's' }

  it('answers the same, in the order of the calls, and repeats itself exactly', async () => {
    const run = async (): Promise<unknown> => {
      let drawn = 0
      const random = (): number => {
        drawn += 1
        return (drawn * 0.618) % 1
      }
      const emulator = createEmulator({ clock: stillClock(), random, switches: { inboxOrder: 'random' } })
      for (const text of 'abcdef') emulator.send('ops', text)
      const answers = [
        emulator.handle({ method: 'GET', path: '/inbox?claim=true&limit=3', headers }),
        emulator.handle({ method: 'POST', path: `/groups/${OPS}/clinks`, headers, body: { content: 'object' } }),
        emulator.handle({ method: 'POST', path: `/groups/${OPS}/clinks`, headers, body: '{"content": "text"}' }),
      ]
      expect(emulator.clinks().filter(({ status }) => status === 'claimed')).toHaveLength(3)
      return [await Promise.all(answers), emulator.clinks(), emulator.requests()]
    }
    expect(await run()).toEqual(await run())
  })

  it('ignores faults and gets a port when it is wanted', async () => {
    const emulator = createEmulator({ faults: [{ then: { status: 503 } }] })
    onTestFinished(() => emulator.close())
    expect((await emulator.handle({ method: 'GET', path: '/inbox', headers })).status).toBe(200)
    await emulator.reconnect()
    expect((await ask(emulator, 'GET /inbox')).status).toBe(503)
  })
})
