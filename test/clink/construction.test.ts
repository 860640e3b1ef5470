import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { CodedError } from '../../src/base/coded-error.ts'
import { Secret } from '../../src/base/secret.ts'
import { ClinkClient } from '../../src/clink/client.ts'

const thrown = (make: () => unknown): CodedError => {
  try {
    make()
  } catch (error) {
    if (error instanceof CodedError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('the key', () => {
  it('that is missing is named with where to get one', () => {
    for (const key of ['', new Secret('')]) {
      const error = thrown(() => new ClinkClient({ key }))
      expect(error.code).toBe('KEY_MISSING')
      expect(error.message).toMatch(/clink\.voxos\.ai.*CLINK_API_KEY/)
    }
  })

  it.each([
    'pk_live_u_topsecret',
    'sk_live_u_top\nsecret',
    '"sk_live_u_topsecret"',
    'CLINK_API_KEY=sk_live_u_topsecret',
    'sk_live_u_top secret',
    'sk_live_',
    'sk_live_ü_topsecret',
  ])('%j is malformed, which is said without showing it', (key) => {
    const error = thrown(() => new ClinkClient({ key }))
    expect(error.code).toBe('KEY_MALFORMED')
    expect(error.message).toMatch(/clink\.voxos\.ai.*CLINK_API_KEY/)
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain('topsecret')
  })
})

it('the key and the session id may have blanks, a line end or a byte order mark around them', () => {
  const client = new ClinkClient({ key: '\uFEFFsk_live_u_1\r\n', sessionId: ' mine\n' })
  expect(client.sessionId).toBe('mine')
  client.close()
})

it('what stands before a key is said to do so', () => {
  const { message } = thrown(() => new ClinkClient({ key: 'CLINK_API_KEY=sk_live_u_1' }))
  expect(message).toMatch(/^Something stands before the Clink API key, such as a quote or CLINK_API_KEY=/)
})

describe('the address', () => {
  it.each([
    [undefined, 'https://api.clink.voxos.ai'],
    ['https://api.clink.voxos.ai/', 'https://api.clink.voxos.ai'],
    ['http://127.0.0.1:8080/clink/', 'http://127.0.0.1:8080/clink'],
    ['HTTPS://Host.Example/a/b', 'https://host.example/a/b'],
    [' http://[::1]:8080//\n', 'http://[::1]:8080'],
    ['\uFEFFhttps://clink.example/a/\r\n', 'https://clink.example/a'],
  ])('%j becomes %j', (url, expected) => {
    const client = new ClinkClient({ key: 'sk_live_u_1', url })
    expect(client.url).toBe(expected)
    client.close()
  })

  it.each([
    '',
    'clink.example',
    'ftp://clink.example',
    'https://',
    'file:///etc',
    'https://u:topsecret@clink.example',
    'https://topsecret@clink.example',
    'https://clink.example/?key=topsecret',
    'https://clink.example/?',
    'https://clink.example/#topsecret',
    'https://u:topsecret@[bad',
  ])('%j is refused without showing what it may hide', (url) => {
    const error = thrown(() => new ClinkClient({ key: 'sk_live_u_1', url }))
    expect(error.code).toBe('USAGE')
    expect(error.message).toMatch(/^the address of Clink, "/)
    expect(error.message).not.toContain('topsecret')
  })
})

describe('the session id', () => {
  it('is random, once per client', () => {
    const [a, b] = [new ClinkClient({ key: 'sk_live_u_1' }), new ClinkClient({ key: 'sk_live_u_1' })]
    expect(a.sessionId).toMatch(/^[\w-]{20,}$/)
    expect(a.sessionId).not.toBe(b.sessionId)
    expect(new ClinkClient({ key: 'sk_live_u_1', sessionId: 'mine' }).sessionId).toBe('mine')
  })

  it.each(['', 'a b', 'a\r\nx: y', 'ü', 'x'.repeat(201)])('%j cannot travel in a header', (sessionId) => {
    expect(thrown(() => new ClinkClient({ key: 'sk_live_u_1', sessionId })).code).toBe('USAGE')
  })
})

it.each([0, -1, Number.NaN, Infinity])('a timeout of %d is refused', async (timeout) => {
  expect(thrown(() => new ClinkClient({ key: 'sk_live_u_1', timeout })).code).toBe('USAGE')
  const client = new ClinkClient({ key: 'sk_live_u_1' })
  await expect(client.listGroups({}, { timeout })).rejects.toMatchObject({ code: 'USAGE' })
})
