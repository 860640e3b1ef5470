import { afterAll, describe, expect, it } from 'vitest'
import { ClinkClient } from '../../src/clink/client.ts'
import { operationNames, operations } from '../../src/clink/contract.ts'
import { ADDRESS, answerNext, intercept } from '../support/intercept.ts'
import { sampleCalls } from '../support/sample-calls.ts'
import { untyped } from '../support/untyped.ts'

intercept()

const client = new ClinkClient({ key: 'sk_live_u_1', url: ADDRESS, sessionId: 'session-1', attempts: 1 })
afterAll(() => client.close())

describe('every operation', () => {
  it('has a sample here with all its parameters', () => {
    expect(Object.keys(sampleCalls).sort()).toEqual([...operationNames].sort())
    for (const name of operationNames) {
      expect(Object.keys(sampleCalls[name].params).sort(), name).toEqual(
        Object.keys(operations[name].parameters).sort(),
      )
    }
  })

  it.each(operationNames)('%s sends its method, path, query, headers and body', async (name) => {
    const { sent, body, data } = sampleCalls[name]
    const seen = answerNext(sent.split(' ')[0] ?? '', { success: true, data })

    await untyped(client, name, sampleCalls[name].params)

    expect(seen).toHaveLength(1)
    expect(seen[0]?.line).toBe(sent)
    expect(seen[0]?.body).toBe(body === undefined ? '' : JSON.stringify(body))
    expect(seen[0]?.headers).toMatchObject({
      authorization: 'Bearer sk_live_u_1',
      'content-type': 'application/json',
      accept: 'application/json',
      'x-clink-session-id': 'session-1',
      'user-agent': expect.stringMatching(/^clink-worker\/\d+\.\d+\.\d+/),
    })
  })

  it.each(operationNames)('%s has a method of its own that does the same', async (name) => {
    const { sent, data, params } = sampleCalls[name]
    const seen = answerNext(sent.split(' ')[0] ?? '', { success: true, data })
    const camel = name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
    const method: unknown = Reflect.get(client, camel)
    if (typeof method !== 'function') throw new Error(`there is no method ${camel}`)

    await method.call(client, params)

    expect(seen.map(({ line }) => line)).toEqual([sent])
  })
})

describe('a parameter', () => {
  it('that is left out, undefined or null is not sent', async () => {
    const seen = answerNext('POST', { success: true, data: sampleCalls.send_clink.data })
    await untyped(client, 'send_clink', { group_id: 'g1', content: 'x', for: null, nothing: undefined })
    expect(seen[0]?.body).toBe('{"content":"x"}')
  })

  it('for_me false is sent to the inbox and left out of get_clinks', async () => {
    const inbox = answerNext('GET', { success: true, data: { clinks: [], count: 0 } })
    await client.checkInbox({ for_me: false })
    const clinks = answerNext('GET', { success: true, data: { clinks: [] } })
    await client.getClinks({ for_me: false, unread_only: false, mark_read: false, limit: 3 })
    expect([inbox[0]?.line, clinks[0]?.line]).toEqual(['GET /inbox?for_me=false', 'GET /clinks?limit=3'])
  })

  it('claim is sent only when true', async () => {
    const seen = answerNext('GET', { success: true, data: { clinks: [], count: 0 } })
    await client.checkInbox({ claim: false })
    expect(seen[0]?.line).toBe('GET /inbox')
  })
})

describe('the address', () => {
  it.each([`${ADDRESS}/prefix`, `${ADDRESS}/prefix/`, `${ADDRESS}/prefix//`])('%s keeps its prefix', async (url) => {
    const prefixed = new ClinkClient({ key: 'sk_live_u_1', url, attempts: 1 })
    const seen = answerNext('GET', { success: true, data: { groups: [] } })
    await prefixed.listGroups()
    prefixed.close()
    expect(seen[0]?.line).toBe('GET /prefix/groups')
  })
})

describe('resolve_group', () => {
  it('returns an id without asking', async () => {
    const id = '3F0b8a52-6d0e-4d6a-9a44-0d5c6d1f6a11'
    expect(await client.resolveGroup({ slug: id })).toBe(id)
  })

  it('is a 404 when no group has the slug', async () => {
    answerNext('GET', { success: true, data: { groups: [] } })
    await expect(client.resolveGroup({ slug: 'nobody' })).rejects.toMatchObject({
      name: 'ClinkApiError',
      status: 404,
      operation: 'resolve_group',
      mayHaveHappened: false,
    })
  })
})

describe('health', () => {
  it('is asked without the key', async () => {
    const seen = answerNext('GET', { status: 'ok' })
    expect(await client.health()).toEqual({ status: 'ok' })
    expect(seen[0]?.line).toBe('GET /health')
    expect(Object.keys(seen[0]?.headers ?? {})).not.toContain('authorization')
  })

  it('may come in the envelope of the others', async () => {
    answerNext('GET', { success: true, data: { status: 'ok' } })
    expect(await client.health()).toEqual({ status: 'ok' })
  })
})
