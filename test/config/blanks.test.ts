import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadKey } from '../../src/config/key.ts'
import { loadConfig } from '../../src/config/load.ts'
import { directoryWith, issuesOf, loadText } from '../support/config-files.ts'

// Files end with a line end, editors on Windows begin them with a byte order mark, and `$(…)` is not always there to cut.
describe('blanks, line ends and byte order marks around a setting are no part of it', () => {
  it.each([' ', '\n', '\r\n', '\t', '\uFEFF'])('%j', async (blank) => {
    const around = (text: string): string => `${blank}${text}${blank}`
    const text = JSON.stringify({
      clink: {
        url: around('http://host/p/'),
        key: around('sk_live_u_1'),
        session: around('s'),
        identity: around('me'),
      },
      inbox: { groups: [around('ops')], ignore: [around('u1')] },
      routes: [{ name: around('r'), use: around('a.ts'), match: { group: around('ops'), from: [around('bob')] } }],
      state: { directory: around('kept') },
      handlers: { directory: around('code') },
    })
    const expected = {
      clink: { url: 'http://host/p', session: 's', identity: 'me' },
      inbox: { groups: ['ops'], ignore: ['u1'] },
      routes: [{ name: 'r', use: expect.stringMatching(/\/a\.ts$/), match: { group: 'ops', from: ['bob'] } }],
      state: { directory: expect.stringMatching(/\/kept$/) },
      handlers: { directory: expect.stringMatching(/\/code$/) },
    }
    const file = await loadText(text)
    expect(file.config).toMatchObject(expected)
    expect(file.config.clink.key?.reveal()).toBe('sk_live_u_1')

    const env = {
      CLINK_API_URL: around('http://host/p/'),
      CLINK_API_KEY: around('sk_live_u_1'),
      CLINK_SESSION_ID: around('s'),
      CLINK_WORKER_CLINK__IDENTITY: around('me'),
      CLINK_WORKER_CONCURRENCY: around('7'),
      CLINK_WORKER_POLL__INTERVAL: around('7s'),
      CLINK_WORKER_LOG__LEVEL: around('warn'),
    }
    const { config } = await loadText('', { env })
    expect(config).toMatchObject({
      clink: expected.clink,
      concurrency: 7,
      poll: { interval: 7_000 },
      log: { level: 'warn' },
    })
    const key = await loadKey(config, env)
    expect([key.key.reveal(), key.from]).toEqual(['sk_live_u_1', 'CLINK_API_KEY'])
  })

  it('in what a variable of the file stands for, as with a file that was read into the environment', async () => {
    const env = { N: '7\n', WAIT: '7s\n', URL: 'http://host/p/\n', GROUP: 'ops\n' }
    const { config } = await loadText(
      'clink: { url: "${URL}" }\nconcurrency: ${N}\npoll:\n  interval: ${WAIT}\ninbox:\n  groups:\n    - ${GROUP}',
      { env },
    )
    expect(config).toMatchObject({
      clink: { url: 'http://host/p' },
      concurrency: 7,
      poll: { interval: 7_000 },
      inbox: { groups: ['ops'] },
    })
  })

  it('but those that mean something stay: the prefix of a text, the values for a handler', async () => {
    const { config } = await loadText(
      'routes: [{ use: a.ts, match: { content: { prefix: "deploy " } }, with: { indent: "  " } }]',
    )
    expect(config.routes[0]).toMatchObject({ match: { content: { prefix: 'deploy ' } }, with: { indent: '  ' } })
  })
})

it('a variable that holds only blanks counts as one that is not set', async () => {
  const env = { CLINK_API_KEY: ' \n', CLINK_API_KEY_FILE: 'key', CLINK_API_URL: '\n', CLINK_WORKER_CONCURRENCY: ' ' }
  const cwd = await directoryWith({
    'clink-worker.yaml': 'clink: { key: "${CLINK_API_KEY}" }',
    key: '\uFEFFsk_live_u_2\r\n',
  })
  await chmod(join(cwd, 'key'), 0o600)
  const { config } = await loadConfig({ env, cwd })
  expect(config).toMatchObject({ clink: { url: 'https://api.clink.voxos.ai', key: null }, concurrency: 10 })
  expect((await loadKey(config, env)).key.reveal()).toBe('sk_live_u_2')
})

it('a line end inside a setting of one line is an error', async () => {
  const issues = await issuesOf(loadText('inbox: { groups: ["ops\\ndev"] }'))
  expect(issues).toMatchObject([{ key: 'inbox.groups[0]', message: 'must be one line' }])
})
