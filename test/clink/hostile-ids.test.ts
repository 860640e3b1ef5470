import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ClinkClient } from '../../src/clink/client.ts'
import { listen } from '../support/loopback.ts'

const lines: string[] = []
let server: Server
let client: ClinkClient

beforeAll(async () => {
  server = createServer((request, response) => {
    lines.push(`${request.method} ${request.url}`)
    response.end('{"success":false}')
  })
  client = new ClinkClient({ key: 'sk_live_u_1', url: await listen(server), attempts: 1 })
})
afterAll(() => {
  client.close()
  server.close()
})

const ids = [
  '../groups',
  'a/b?c#d',
  '..%2f',
  '%2e',
  '%2e%2e',
  '%2E%2e/',
  '\\..\\x',
  'a b',
  'tab\tline\nreturn\r',
  '\u0000',
  '//host/x',
  'http://host/x',
  'msg_ü😀',
  '$&',
  'quote\'"',
  ' ',
  '{clink_id}',
  'msg_…',
  '.a',
]

describe('an id in the path', () => {
  it.each(ids)('%j arrives as one segment that decodes to itself', async (id) => {
    lines.length = 0
    await expect(client.claimClink({ clink_id: id })).rejects.toMatchObject({ status: 200 })
    const [, start, segment = '', end] = lines[0]?.split('/') ?? []
    expect(lines[0]?.split('/')).toHaveLength(4)
    expect([start, decodeURIComponent(segment), end]).toEqual(['clinks', id, 'claim'])
  })

  it.each(['', '.', '..', '...'])('%j would vanish or climb and is refused', async (id) => {
    lines.length = 0
    await expect(client.claimClink({ clink_id: id })).rejects.toMatchObject({ code: 'USAGE' })
    await expect(client.deleteCheckpoint({ milestone_id: id, order: 1 })).rejects.toMatchObject({ code: 'USAGE' })
    expect(lines).toEqual([])
  })

  it('that is not well-formed text is refused', async () => {
    await expect(client.getGroup({ group_id: 'a\ud800' })).rejects.toMatchObject({ code: 'USAGE' })
  })
})

describe('a text in the query', () => {
  it.each(ids)('%j arrives as itself', async (slug) => {
    lines.length = 0
    await expect(client.resolveGroup({ slug })).rejects.toMatchObject({ status: 200 })
    const { pathname, searchParams, hash } = new URL(lines[0]?.split(' ')[1] ?? '', 'http://host')
    expect([pathname, [...searchParams], hash]).toEqual(['/groups', [['slug', slug]], ''])
  })
})
