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
    with: { a: 1 },
  }
  const read = {
    ...said,
    name: 'work',
    use: expect.stringMatching(/\/a\.ts$/),
    match: { group: 'ops' },
    rate: { count: 60, window: 60_000 },
    timeout: 5_000,
    retry: { attempts: 2 },
  }
  const written = {
    ...said,
    name: 'work',
    use: 'a.ts',
    match: { group: 'ops' },
    rate: '60/1m',
    timeout: '5s',
    retry: { attempts: 2 },
  }
  const { config } = await loadText(JSON.stringify({ routes: [written] }))
  expect(config.routes[0]).toMatchObject(read)

  const schema = JSON.parse(await readFile('schema/config.schema.json', 'utf8'))
  const others = ['exec', 'http', 'runner']
  expect([...Object.keys(written), ...others].sort()).toEqual(
    Object.keys(schema.properties.routes.items.properties).sort(),
  )
})
