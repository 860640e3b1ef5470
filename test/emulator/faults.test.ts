import { once } from 'node:events'
import { request } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { Emulator, FaultRule } from '../../src/emulator/emulator.ts'
import { ask, OPS, running } from '../support/running-emulator.ts'

const statuses = async (emulator: Emulator, count: number, path = '/inbox'): Promise<number[]> => {
  const seen: number[] = []
  for (let n = 0; n < count; n += 1) seen.push((await ask(emulator, `GET ${path}`)).status)
  return seen
}

const hits = (pattern: number[]): string => pattern.map((status) => (status === 503 ? 'x' : '.')).join('')

async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work
    return undefined
  } catch (error) {
    return error instanceof Error && error.cause instanceof Error && 'code' in error.cause
      ? String(error.cause.code)
      : 'other'
  }
}

describe('which requests a rule takes', () => {
  it.each<[string, Omit<FaultRule, 'then'>, string]>([
    ['all', {}, 'xxxxxx'],
    ['the nth', { nth: 3 }, '..x...'],
    ['every nth', { every: 2 }, '.x.x.x'],
    ['from and to', { from: 2, to: 4 }, '.xxx..'],
    ['from on', { from: 5 }, '....xx'],
    ['so many times', { times: 2 }, 'xx....'],
    ['by operation', { operation: 'check_inbox' }, 'xxxxxx'],
    ['not of another operation', { operation: 'claim_clink' }, '......'],
    ['by method', { method: 'get' }, 'xxxxxx'],
    ['not of another method', { method: 'POST' }, '......'],
    ['by path', { path: '/inbox' }, 'xxxxxx'],
    ['by a pattern', { path: '/in*' }, 'xxxxxx'],
    ['not of another path', { path: '/in' }, '......'],
    ['by query', { query: { limit: '3' } }, 'xxxxxx'],
    ['not with another value', { query: { limit: '4' } }, '......'],
    ['not without the parameter', { query: { claim: 'true' } }, '......'],
    ['never', { probability: 0 }, '......'],
  ])('%s', async (_what, rule, expected) => {
    const emulator = await running()
    const fault = emulator.addFault({ ...rule, then: { status: 503 } })
    expect(hits(await statuses(emulator, 6, '/inbox?limit=3'))).toBe(expected)
    expect(fault.hits).toBe(expected.replaceAll('.', '').length)
  })

  it('counts only what fits', async () => {
    const emulator = await running()
    emulator.addFault({ operation: 'check_inbox', nth: 2, then: { status: 503 } })
    expect(await statuses(emulator, 2, '/groups')).toEqual([200, 200])
    expect(await statuses(emulator, 3)).toEqual([200, 503, 200])
  })

  it('draws the same from the same seed', async () => {
    const runs = await Promise.all(
      [7, 7, 8].map(async (seed) => {
        const emulator = await running()
        emulator.addFault({ probability: 0.5, seed, then: { status: 503 } })
        return hits(await statuses(emulator, 24))
      }),
    )
    expect(runs[0]).toBe(runs[1])
    expect(runs[0]).not.toBe(runs[2])
    expect(runs[0]).toMatch(/x/)
    expect(runs[0]).toMatch(/\./)
  })

  it('lets the first due rule act, while every rule counts', async () => {
    const emulator = await running()
    emulator.addFault({ nth: 1, then: { status: 500 } })
    const second = emulator.addFault({ to: 2, then: { status: 503 } })
    expect(await statuses(emulator, 3)).toEqual([500, 503, 200])
    expect(second.hits).toBe(1)
  })

  it('can be removed, one or all', async () => {
    const emulator = await running()
    const one = emulator.addFault({ then: { status: 500 } })
    emulator.addFault({ then: { status: 503 } })
    one.remove()
    expect(await statuses(emulator, 1)).toEqual([503])
    emulator.clearFaults()
    expect(await statuses(emulator, 1)).toEqual([200])
  })
})

describe('what a rule does', () => {
  const poll = (emulator: Emulator): ReturnType<typeof ask> => ask(emulator, 'GET /inbox?claim=true')
  const effect = (emulator: Emulator): string | undefined => emulator.clinks()[0]?.status

  async function withClink(rule: FaultRule['then']): Promise<Emulator> {
    const emulator = await running()
    emulator.send('ops', 'work')
    emulator.addFault({ times: 1, then: rule })
    return emulator
  }

  it('answers a status instead of carrying the request out', async () => {
    const emulator = await withClink({ status: 503, headers: { 'Retry-After': '7' }, error: 'overloaded' })
    const answer = await poll(emulator)
    expect(answer.json).toEqual({ success: false, error: 'overloaded', message: expect.any(String) })
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '7'])
    expect(effect(emulator)).toBe('pending')
    expect(emulator.requests()[0]).toMatchObject({ status: 503, effect: false })
  })

  it('answers a status after carrying the request out', async () => {
    const emulator = await withClink({ status: 504, effect: true, body: '<html>proxy</html>' })
    const answer = await poll(emulator)
    expect([answer.status, answer.text]).toEqual([504, '<html>proxy</html>'])
    expect(effect(emulator)).toBe('claimed')
    expect(emulator.requests()[0]).toMatchObject({ status: 504, effect: true })
  })

  it('answers 500 for an error without a status', async () => {
    const emulator = await withClink({ error: 'broken' })
    expect((await poll(emulator)).json.error).toBe('broken')
    expect(emulator.requests()[0]?.status).toBe(500)
  })

  it('sends a body of its own as JSON', async () => {
    const emulator = await withClink({ status: 200, body: { success: false } })
    expect((await poll(emulator)).json).toEqual({ success: false })
  })

  it.each([
    ['before', 'pending'],
    ['after', 'claimed'],
  ] as const)('cuts the connection %s the effect', async (cut, status) => {
    const emulator = await withClink({ cut })
    expect(await codeOf(poll(emulator))).toBe('ECONNRESET')
    expect(effect(emulator)).toBe(status)
    const [seen] = emulator.requests()
    expect(seen).toMatchObject({ ending: 'cut', effect: status === 'claimed' })
    expect(seen?.status).toBeUndefined()
  })

  it.each([
    ['before', 'pending'],
    ['after', 'claimed'],
  ] as const)('hangs %s the effect', async (hang, status) => {
    const emulator = await withClink({ hang })
    const outgoing = request(`${emulator.url}/inbox?claim=true`, {
      headers: { authorization: `Bearer ${emulator.key}` },
    })
    outgoing.end()
    await expect.poll(() => emulator.requests()[0]?.ending).toBe('hung')
    expect(effect(emulator)).toBe(status)
    const closed = once(outgoing, 'error')
    outgoing.destroy(new Error('gave up'))
    await closed
  })

  it.each([0, 20])('truncates the body after %i bytes', async (truncate) => {
    const emulator = await withClink({ truncate })
    const outgoing = request(`${emulator.url}/inbox?claim=true`, {
      headers: { authorization: `Bearer ${emulator.key}` },
    })
    outgoing.end()
    const [response] = await once(outgoing, 'response')
    let text = ''
    response.on('data', (part: Buffer) => {
      text += part.toString()
    })
    const [error] = await once(response, 'error')
    expect(error.code).toBe('ECONNRESET')
    expect(text).toHaveLength(truncate)
    expect(Number(response.headers['content-length'])).toBeGreaterThan(100)
    expect(effect(emulator)).toBe('claimed')
    expect(emulator.requests()[0]).toMatchObject({ ending: 'truncated', status: 200 })
  })

  it('replaces the body of the real answer', async () => {
    const emulator = await withClink({ replaceBody: '{"success": tru', headers: { 'x-proxy': 'yes' } })
    const answer = await poll(emulator)
    expect([answer.status, answer.text, answer.headers.get('x-proxy')]).toEqual([200, '{"success": tru', 'yes'])
    expect(effect(emulator)).toBe('claimed')
  })

  it('waits before the effect, and after it', async () => {
    const emulator = await withClink({ delayBefore: 30, delayAfter: '40ms' })
    const began = performance.now()
    await poll(emulator)
    expect(performance.now() - began).toBeGreaterThan(60)
  })

  it('has had its effect while it waits after it', async () => {
    const emulator = await withClink({ delayAfter: '1h' })
    const answer = poll(emulator)
    await expect.poll(() => effect(emulator)).toBe('claimed')
    emulator.disconnect()
    await expect(answer).rejects.toThrow('fetch failed')
  })

  it('has no effect after the service went away while it waited before it', async () => {
    const emulator = await withClink({ delayBefore: '1h' })
    const answer = poll(emulator)
    await expect.poll(() => emulator.requests().length).toBe(1)
    emulator.disconnect()
    await expect(answer).rejects.toThrow('fetch failed')
    await emulator.reconnect()
    expect(effect(emulator)).toBe('pending')
    expect(emulator.requests()[0]).toMatchObject({ ending: 'cut', effect: false })
  })
})

describe('the service', () => {
  it('goes away and comes back on the same port with everything that it knew', async () => {
    const emulator = await running()
    emulator.send('ops', 'work')
    const { url } = emulator
    emulator.disconnect()
    expect(await codeOf(ask(emulator, 'GET /inbox'))).toBe('ECONNREFUSED')
    await emulator.reconnect()
    expect(emulator.url).toBe(url)
    expect((await ask(emulator, 'GET /inbox')).data.count).toBe(1)
  })

  it('keeps a record of every request', async () => {
    const emulator = await running()
    await ask(emulator, `POST /groups/${OPS}/clinks`, { content: 'x' }, { as: 'alice', session: 's9' })
    await ask(emulator, 'POST /clinks/msg_none/claim', { timeout_seconds: 5 })
    await ask(emulator, 'GET /nowhere?a=1')
    await ask(emulator, 'GET /_emulator/clock')
    expect(emulator.requests()).toMatchObject([
      {
        n: 1,
        operation: 'send_clink',
        method: 'POST',
        path: `/groups/${OPS}/clinks`,
        params: { group_id: OPS, content: 'x' },
        key: 'alice',
        session: 's9',
        status: 200,
        effect: true,
      },
      {
        n: 2,
        operation: 'claim_clink',
        params: { clink_id: 'msg_none', timeout_seconds: 5 },
        status: 404,
        effect: false,
      },
      { n: 3, path: '/nowhere?a=1', params: { a: '1' }, status: 404, effect: false },
    ])
    expect(emulator.requests()).toHaveLength(3)
  })
})
