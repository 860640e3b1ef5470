import { describe, expect, it } from 'vitest'
import { switchNames, type Emulator, type Switches } from '../../src/emulator/emulator.ts'
import { ask, OPS, running, stillClock, type Answered, type Asking } from '../support/running-emulator.ts'

const START = Date.parse('2026-03-01T12:00:00.000Z')

/** An emulator on a clock that stands still, with one clink that the worker's first session holds for 30 s. */
async function held(switches: Partial<Switches>): Promise<{ emulator: Emulator; id: string }> {
  const emulator = await running({ clock: stillClock(START), switches })
  const { clink_id } = emulator.send('ops', 'work')
  await ask(emulator, `POST /clinks/${clink_id}/claim`, { timeout_seconds: 30 })
  return { emulator, id: clink_id }
}

type Act = 'claim' | 'complete' | 'release'
const act = (emulator: Emulator, id: string, what: Act, body: unknown = {}, asking: Asking = {}): Promise<Answered> =>
  ask(emulator, `POST /clinks/${id}/${what}`, body, asking)

describe('reclaim', () => {
  it.each([
    ['renew', 200, 50],
    ['refuse', 409, 30],
    ['ignore', 200, 30],
  ] as const)('%s', async (reclaim, status, end) => {
    const { emulator, id } = await held({ reclaim })
    emulator.moveClock(20_000)
    const answer = await act(emulator, id, 'claim', { timeout_seconds: 30 })
    expect(answer.status).toBe(status)
    expect((emulator.clink(id)?.claim?.expires ?? 0) - START).toBe(end * 1_000)
    if (status === 200) expect(answer.data.claim_expires_at).toBe(new Date(START + end * 1_000).toISOString())
  })
})

describe('identity', () => {
  const siblings = { session: { session: 'two' }, key: { as: 'second', session: 'one' }, stranger: { as: 'helper' } }
  it.each([
    ['session', { session: false, key: false, stranger: false }],
    ['key', { session: true, key: false, stranger: false }],
    ['owner', { session: true, key: true, stranger: false }],
  ] as const)('%s: who may renew, complete and release', async (identity, allowed) => {
    for (const who of ['session', 'key', 'stranger'] as const) {
      for (const what of ['claim', 'complete', 'release'] as const) {
        const emulator = await running({
          switches: { identity },
          seed: {
            users: [{ name: 'alice' }],
            agents: [
              { name: 'worker', group: 'ops' },
              { name: 'helper', group: 'ops' },
            ],
            groups: [{ slug: 'ops', owner: 'alice' }],
            keys: [
              { name: 'worker', owner: 'worker' },
              { name: 'second', owner: 'worker' },
              { name: 'helper', owner: 'helper' },
            ],
          },
        })
        const { clink_id } = emulator.send('ops', 'work')
        await act(emulator, clink_id, 'claim')
        const { status } = await act(emulator, clink_id, what, {}, siblings[who])
        expect({ who, what, status }).toEqual({ who, what, status: allowed[who] ? 200 : what === 'claim' ? 409 : 403 })
      }
    }
  })
})

describe('lateComplete', () => {
  it.each([
    ['refuse-409', 409],
    ['refuse-403', 403],
    ['accept', 200],
  ] as const)('%s', async (lateComplete, status) => {
    for (const what of ['complete', 'release'] as const) {
      const { emulator, id } = await held({ lateComplete })
      emulator.moveClock(30_000)
      expect((await act(emulator, id, what)).status).toBe(status)
      expect(emulator.clink(id)?.status).toBe(status === 200 && what === 'complete' ? 'completed' : 'pending')
    }
  })

  it('accept: not when somebody else has taken it meanwhile, and not for a stranger', async () => {
    const { emulator, id } = await held({ lateComplete: 'accept' })
    emulator.moveClock(30_000)
    expect((await act(emulator, id, 'complete', {}, { as: 'helper' })).status).toBe(409)
    await act(emulator, id, 'claim', {}, { as: 'helper' })
    expect((await act(emulator, id, 'complete')).status).toBe(403)
    await act(emulator, id, 'release', {}, { as: 'helper' })
    expect((await act(emulator, id, 'complete')).status).toBe(409)
  })
})

describe('completeTwice', () => {
  it.each(['409', '200'] as const)('%s', async (completeTwice) => {
    const { emulator, id } = await held({ completeTwice })
    const first = await act(emulator, id, 'complete', { response: 'done' })
    const again = await act(emulator, id, 'complete', { response: 'done' })
    expect(again.status).toBe(Number(completeTwice))
    expect(emulator.clinks()).toHaveLength(2)
    if (again.status === 200) expect(again.data).toEqual(first.data)
    expect((await act(emulator, id, 'complete', {}, { as: 'helper' })).status).toBe(409)
  })
})

describe('releaseUnclaimed', () => {
  it.each(['409', '403', '200'] as const)('%s', async (releaseUnclaimed) => {
    const { emulator, id } = await held({ releaseUnclaimed })
    await act(emulator, id, 'release')
    expect((await act(emulator, id, 'release')).status).toBe(Number(releaseUnclaimed))
    expect(emulator.history(id)).toHaveLength(3)
  })
})

describe('maxTimeout', () => {
  it.each([
    ['none', 200, 600],
    ['cap:60', 200, 60],
    ['reject:300', 400, 30],
    ['reject:600', 200, 600],
  ] as const)('%s', async (maxTimeout, status, length) => {
    const { emulator, id } = await held({ maxTimeout })
    expect((await act(emulator, id, 'claim', { timeout_seconds: 600 })).status).toBe(status)
    expect((emulator.clink(id)?.claim?.expires ?? 0) - START).toBe(length * 1_000)
  })

  it('caps claims of a poll too', async () => {
    const emulator = await running({ clock: stillClock(START), switches: { maxTimeout: 'cap:60' } })
    emulator.send('ops', 'work')
    const { data } = await ask(emulator, 'GET /inbox?claim=true')
    expect(data.clinks[0].claim_expires_at).toBe('2026-03-01T12:01:00.000Z')
  })
})

describe('maxLimit', () => {
  it.each([
    ['cap:100', 101, 200, 100],
    ['cap:5', 6, 200, 5],
    ['reject:100', 101, 400, 0],
    ['reject:100', 100, 200, 100],
  ] as const)('%s with a limit of %i', async (maxLimit, limit, status, count) => {
    const emulator = await running({ switches: { maxLimit } })
    for (let n = 0; n < 102; n += 1) emulator.send('ops', 'x')
    for (const path of ['/inbox', '/clinks']) {
      const answer = await ask(emulator, `GET ${path}?limit=${limit}`)
      expect(answer.status).toBe(status)
      expect(answer.data?.clinks.length ?? 0).toBe(count)
    }
  })
})

describe('claimedAtOnRenew', () => {
  it.each([
    ['moves', 20],
    ['stays', 0],
  ] as const)('%s', async (claimedAtOnRenew, at) => {
    const { emulator, id } = await held({ claimedAtOnRenew })
    emulator.moveClock(20_000)
    const { data } = await act(emulator, id, 'claim', { timeout_seconds: 30 })
    expect(Date.parse(data.claimed_at) - START).toBe(at * 1_000)
    expect(Date.parse(data.claim_expires_at) - START).toBe(50_000)
  })
})

describe('claimTimes', () => {
  it.each([
    ['present', '2026-03-01T12:00:00.250Z', '2026-03-01T12:00:30.250Z'],
    ['seconds', '2026-03-01T12:00:00Z', '2026-03-01T12:00:30Z'],
    ['absent', undefined, undefined],
  ] as const)('%s', async (claimTimes, at, expires) => {
    const emulator = await running({ clock: stillClock(START + 250), switches: { claimTimes } })
    const { clink_id } = emulator.send('ops', 'work')
    const { data } = await act(emulator, clink_id, 'claim', { timeout_seconds: 30 })
    expect([data.claimed_at, data.claim_expires_at]).toEqual([at, expires])
    expect(data.created_at).toBe('2026-03-01T12:00:00.250Z')
    expect(data.claimed_by).toBe('ap_worker')
  })
})

describe('defaultTimeout', () => {
  it.each([
    ['300', 300],
    [45, 45],
    ['0.5', 0.5],
  ] as const)('%s', async (defaultTimeout, seconds) => {
    const emulator = await running({ clock: stillClock(START), switches: { defaultTimeout } })
    const { clink_id } = emulator.send('ops', 'a')
    await act(emulator, clink_id, 'claim')
    emulator.send('ops', 'b')
    await ask(emulator, 'GET /inbox?claim=true')
    expect(emulator.clinks().map(({ claim }) => (claim?.expires ?? 0) - START)).toEqual([
      seconds * 1_000,
      seconds * 1_000,
    ])
  })
})

describe('pollRecords', () => {
  it('claimed: shows the clinks as they are now', async () => {
    const emulator = await running({ switches: { pollRecords: 'claimed' } })
    emulator.send('ops', 'a')
    const { data } = await ask(emulator, 'GET /inbox?claim=true')
    expect(data).toMatchObject({ count: 1, claimed_count: 1, clinks: [{ status: 'claimed', claimed_by: 'ap_worker' }] })
  })

  it('snapshot: shows them as they were before, and says that they are claimed', async () => {
    const emulator = await running({ switches: { pollRecords: 'snapshot' } })
    emulator.send('ops', 'a')
    const { data } = await ask(emulator, 'GET /inbox?claim=true')
    expect(data).toMatchObject({ count: 1, claimed_count: 1, clinks: [{ status: 'pending' }] })
    expect(data.clinks[0]).not.toHaveProperty('claimed_by')
    expect(emulator.clinks()[0]?.status).toBe('claimed')
  })

  it('includesLost: also shows what another caller won in the same moment', async () => {
    const emulator = await running({ clock: stillClock(START), switches: { pollRecords: 'includesLost' } })
    for (const text of ['a', 'b', 'c']) emulator.send('ops', text)
    await ask(emulator, 'GET /inbox?claim=true&limit=1', undefined, { as: 'helper' })
    const { data } = await ask(emulator, 'GET /inbox?claim=true&limit=2')
    expect(data).toMatchObject({
      count: 2,
      claimed_count: 1,
      clinks: [
        { content: 'a', status: 'claimed', claimed_by: 'ap_helper' },
        { content: 'b', status: 'claimed', claimed_by: 'ap_worker' },
      ],
    })
    expect(emulator.clinks()[0]?.claim?.by).toBe('ap_helper')
  })

  it('includesLost: a sibling is another caller too, oneself is not, and a moment passes', async () => {
    const emulator = await running({ clock: stillClock(START), switches: { pollRecords: 'includesLost' } })
    emulator.send('ops', 'a')
    await ask(emulator, 'GET /inbox?claim=true', undefined, { session: 'two' })
    expect((await ask(emulator, 'GET /inbox?claim=true')).data).toMatchObject({ count: 1, claimed_count: 0 })
    expect((await ask(emulator, 'GET /inbox?claim=true', undefined, { session: 'two' })).data.count).toBe(0)
    expect((await ask(emulator, 'GET /inbox')).data.count).toBe(0)
    emulator.moveClock(1_000)
    expect((await ask(emulator, 'GET /inbox?claim=true')).data.count).toBe(0)
  })
})

describe('since', () => {
  it.each([
    ['exclusive', 0],
    ['inclusive', 1],
  ] as const)('%s', async (since, count) => {
    const emulator = await running({ clock: stillClock(START + 7), switches: { since } })
    emulator.send('ops', 'a')
    for (const path of ['/inbox', '/clinks']) {
      const at = async (time: string): Promise<number> =>
        (await ask(emulator, `GET ${path}?since=${encodeURIComponent(time)}`)).data.clinks.length
      expect(await at('2026-03-01T12:00:00.006Z')).toBe(1)
      expect(await at('2026-03-01T12:00:00.007Z')).toBe(count)
      expect(await at('2026-03-01T12:00:00.008Z')).toBe(0)
    }
  })
})

describe('claimedVisible', () => {
  it.each([
    ['yes', 1],
    ['no', 0],
  ] as const)('%s', async (claimedVisible, mine) => {
    const { emulator } = await held({ claimedVisible })
    for (const path of ['/inbox', '/clinks']) {
      const count = async (as: string): Promise<number> =>
        (await ask(emulator, `GET ${path}?status=claimed`, undefined, { as })).data.clinks.length
      expect(await count('worker')).toBe(mine)
      expect(await count('helper')).toBe(1)
    }
  })
})

describe('inboxOrder', () => {
  const order = async (emulator: Emulator): Promise<string> => {
    const { data } = await ask(emulator, 'GET /inbox?limit=6')
    return data.clinks.map(({ content }: { content: string }) => content).join('')
  }
  it.each([
    ['oldest', 'abcdef'],
    ['newest', 'hgfedc'],
  ] as const)('%s', async (inboxOrder, expected) => {
    const emulator = await running({ switches: { inboxOrder } })
    for (const [index, text] of Array.from('abcdefgh').entries()) {
      emulator.send('ops', text, index % 2 === 0 ? {} : { for: 'worker' })
      emulator.moveClock(1)
    }
    expect(await order(emulator)).toBe(expected)
  })

  it('random: every clink once, in an order that the random numbers decide', async () => {
    const draws = [0.999, 0.5, 0, 0.3, 0.7, 0.1]
    let n = 0
    const random = (): number => {
      n += 1
      return draws[n % draws.length] ?? 0
    }
    const emulator = await running({ switches: { inboxOrder: 'random' }, random })
    for (const text of 'abcdef') emulator.send('ops', text)
    n = 0
    const first = await order(emulator)
    n = 0
    expect(await order(emulator)).toBe(first)
    expect(Array.from(first).sort().join('')).toBe('abcdef')
    n = 3
    expect(await order(emulator)).not.toBe(first)
  })
})

describe('ownClinks', () => {
  it.each([
    ['shown', ['to all', 'to me', 'of bob']],
    ['hidden', ['of bob']],
  ] as const)('%s', async (ownClinks, expected) => {
    const emulator = await running({ switches: { ownClinks } })
    emulator.send('ops', 'to all', { from: 'worker' })
    emulator.send('ops', 'to me', { from: 'worker', for: 'worker' })
    emulator.send('ops', 'to bob', { from: 'worker', for: 'bob' })
    emulator.send('ops', 'of bob', { from: 'bob' })
    const { data } = await ask(emulator, 'GET /inbox')
    expect(data.clinks.map(({ content }: { content: string }) => content)).toEqual(expected)
  })
})

describe('responseText', () => {
  it.each([
    ['verbatim', '  done\n'],
    ['trimmed', 'done'],
  ] as const)('%s', async (responseText, expected) => {
    const { emulator, id } = await held({ responseText })
    const { data } = await act(emulator, id, 'complete', { response: '  done\n' })
    expect(emulator.clink(data.response_clink_id)?.content).toBe(expected)
  })
})

describe('responseId', () => {
  it.each(['present', 'absent'] as const)('%s', async (responseId) => {
    const { emulator, id } = await held({ responseId })
    const { data } = await act(emulator, id, 'complete', { response: 'done' })
    expect('response_clink_id' in data).toBe(responseId === 'present')
    expect(emulator.clinks()).toHaveLength(2)
  })
})

describe('lengthUnit', () => {
  // 2,000 of these are 2,000 code points, 4,000 UTF-16 units and 8,000 bytes.
  const rocket = '🚀'
  it.each([
    ['codepoints', 4_096],
    ['utf16', 2_048],
    ['bytes', 1_024],
  ] as const)('%s', async (lengthUnit, most) => {
    const { emulator, id } = await held({ lengthUnit })
    const send = async (count: number): Promise<number> =>
      (await ask(emulator, `POST /groups/${OPS}/clinks`, { content: rocket.repeat(count) })).status
    expect(await send(most)).toBe(200)
    expect(await send(most + 1)).toBe(400)
    expect((await act(emulator, id, 'complete', { response: rocket.repeat(most + 1) })).status).toBe(400)
    expect((await act(emulator, id, 'complete', { response: rocket.repeat(most) })).status).toBe(200)
  })
})

describe('recipientGone', () => {
  it.each(['400', '200'] as const)('%s', async (recipientGone) => {
    const emulator = await running({ switches: { recipientGone } })
    const { clink_id } = emulator.send('ops', 'work', { from: 'bob' })
    await act(emulator, clink_id, 'claim')
    emulator.leave('ops', 'bob')
    expect((await act(emulator, clink_id, 'complete', { response: 'done' })).status).toBe(Number(recipientGone))
    expect(emulator.clink(clink_id)?.status).toBe(recipientGone === '200' ? 'completed' : 'claimed')
    if (recipientGone === '400') expect((await act(emulator, clink_id, 'complete')).status).toBe(200)
  })
})

describe('rateLimit', () => {
  it('none', async () => {
    const emulator = await running({ clock: stillClock(START) })
    for (let n = 0; n < 20; n += 1) expect((await ask(emulator, 'GET /groups')).status).toBe(200)
  })

  it.each([
    ['3/s', '1'],
    ['3/s;seconds', '1'],
    ['3/s;date', 'Sun, 01 Mar 2026 12:00:01 GMT'],
    ['3/s;absent', null],
  ] as const)('%s', async (rateLimit, retryAfter) => {
    const emulator = await running({ clock: stillClock(START), switches: { rateLimit } })
    for (let n = 0; n < 3; n += 1) expect((await ask(emulator, 'GET /groups')).status).toBe(200)
    const refused = await ask(emulator, 'GET /groups')
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toBe(retryAfter)
    expect((await ask(emulator, 'GET /groups', undefined, { as: 'alice' })).status).toBe(200)
    expect((await ask(emulator, 'GET /health')).status).toBe(200)
    emulator.moveClock(1_000)
    expect((await ask(emulator, 'GET /groups')).status).toBe(200)
  })
})

describe('clockSkew', () => {
  it.each([
    ['0', '2026-03-01T12:00:00.000Z'],
    ['2h', '2026-03-01T14:00:00.000Z'],
    ['-30m', '2026-03-01T11:30:00.000Z'],
  ] as const)('%s', async (clockSkew, time) => {
    const { emulator, id } = await held({ clockSkew })
    const { data, headers } = await act(emulator, id, 'claim', { timeout_seconds: 60 })
    expect(data.claimed_at).toBe(time)
    expect(Date.parse(data.claim_expires_at) - Date.parse(data.claimed_at)).toBe(60_000)
    expect(Date.parse(headers.get('date') ?? '')).toBe(Date.parse(time))
    const before = encodeURIComponent(new Date(Date.parse(time) - 1).toISOString())
    expect((await ask(emulator, `GET /clinks?since=${before}`)).data.clinks).toHaveLength(1)
    expect((await ask(emulator, `GET /clinks?since=${encodeURIComponent(time)}`)).data.clinks).toHaveLength(0)
  })
})

describe('refusals', () => {
  it.each([
    ['enveloped', { success: false, error: 'not_found', message: 'No clink "msg_made_up"' }],
    ['bare', { error: 'not_found', message: 'No clink "msg_made_up"' }],
  ] as const)('%s', async (refusals, body) => {
    const emulator = await running({ switches: { refusals } })
    const answer = await fetch(`${emulator.url}/clinks/msg_made_up/claim`, {
      method: 'POST',
      headers: { authorization: `Bearer ${emulator.key}` },
      body: '{}',
    })
    expect(answer.status).toBe(404)
    expect(await answer.json()).toEqual(body)
  })
})

describe('groupSlugs', () => {
  it.each(['present', 'absent'] as const)('%s', async (groupSlugs) => {
    const emulator = await running({ switches: { groupSlugs } })
    emulator.send('ops', 'work')
    const { data } = await ask(emulator, 'GET /inbox')
    expect(data.clinks[0].group_slug).toBe(groupSlugs === 'present' ? 'ops' : undefined)
  })
})

describe('setting switches', () => {
  it('starts from the first setting of each', async () => {
    const emulator = await running()
    expect(emulator.switches).toEqual({
      reclaim: 'renew',
      identity: 'session',
      lateComplete: 'refuse-409',
      completeTwice: '409',
      releaseUnclaimed: '409',
      maxTimeout: 'none',
      maxLimit: 'cap:100',
      claimedAtOnRenew: 'moves',
      claimTimes: 'present',
      defaultTimeout: '300',
      pollRecords: 'claimed',
      since: 'exclusive',
      claimedVisible: 'yes',
      inboxOrder: 'oldest',
      ownClinks: 'shown',
      responseText: 'verbatim',
      responseId: 'present',
      lengthUnit: 'codepoints',
      recipientGone: '400',
      rateLimit: 'none',
      clockSkew: '0',
      refusals: 'enveloped',
      groupSlugs: 'present',
    })
    expect(switchNames).toHaveLength(23)
  })

  it.each([
    [{ reclam: 'renew' }, /"reclam".*did you mean "reclaim"/],
    [{ reclaim: 'renews' }, /"reclaim".*"renews".*did you mean "renew".*renew \| refuse \| ignore/],
    [{ maxTimeout: 'cap:0' }, /"maxTimeout".*"cap:0"/],
    [{ maxLimit: 'none' }, /"maxLimit".*"none"/],
    [{ rateLimit: '5/m' }, /"rateLimit".*"5\/m"/],
    [{ rateLimit: '5/s;never' }, /"5\/s;never"/],
    [{ clockSkew: '2 hours' }, /"clockSkew".*"2 hours"/],
    [{ defaultTimeout: '0' }, /"defaultTimeout"/],
    [{ reclaim: true }, /"reclaim" cannot be "true"/],
  ])('refuses %j by name and value, and changes nothing', async (bad, message) => {
    const emulator = await running()
    const before = emulator.switches
    expect(() => emulator.setSwitches({ identity: 'key', ...bad } as Partial<Switches>)).toThrow(message)
    expect(emulator.switches).toEqual(before)
  })
})
