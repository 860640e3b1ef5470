import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { loadText } from '../support/config-files.ts'

it('what a route of the file says arrives, whatever it is (§4)', async () => {
  const said = {
    concurrency: 2,
    weight: 3,
    serial: 'sender',
    mark: 'never',
    passKey: true,
    renewFirst: true,
    runner: 'thread',
    with: { a: 1 },
  }
  const read = {
    ...said,
    name: 'work',
    use: expect.stringMatching(/\/a\.ts$/),
    match: { group: 'ops' },
    rate: { count: 60, window: 60_000 },
    timeout: 5_000,
    idle: 1_000,
    retry: { attempts: 2 },
  }
  const written = {
    ...said,
    name: 'work',
    use: 'a.ts',
    match: { group: 'ops' },
    rate: '60/1m',
    timeout: '5s',
    idle: '1s',
    retry: { attempts: 2 },
  }
  const { config } = await loadText(JSON.stringify({ routes: [written] }))
  expect(config.routes[0]).toMatchObject(read)

  const schema = JSON.parse(await readFile('schema/config.schema.json', 'utf8'))
  const others = ['exec', 'http']
  expect([...Object.keys(written), ...others].sort()).toEqual(
    Object.keys(schema.properties.routes.items.properties).sort(),
  )
})

it('a route with an application: an address alone, or with more, and a slash at its end stays', async () => {
  const { config } = await loadText(`routes:
  - http: http://127.0.0.1:8080/clinks/
  - { name: b, timeout: 1m, http: { url: 'http://apps.example', timeout: 5m, connectTimeout: 1s, maxResponse: 2KiB, secretFile: s, allowHosts: [apps.example] } }
  - { name: c, http: { url: 'https://[::1]/', timeout: 5m } }
`)
  expect(config.routes).toMatchObject([
    { name: '127.0.0.1:8080/clinks', http: { url: 'http://127.0.0.1:8080/clinks/', maxResponse: 1_048_576 } },
    {
      timeout: 60_000,
      http: {
        url: 'http://apps.example/',
        connectTimeout: 1_000,
        secret: { file: expect.stringMatching(/^\/.*\/s$/) },
      },
    },
    { timeout: 300_000, http: { url: 'https://[::1]/' } },
  ])
})
