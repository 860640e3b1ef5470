import { expect, test } from 'vitest'
import { clinkWorker } from '../../support/cli.ts'
import { handler, Site } from '../../support/site.ts'
import { TempDir } from '../../support/temp-dir.ts'

const files = { 'handlers/h.js': handler('') }

async function check(site: Site, key = 'worker', ...args: readonly string[]) {
  await using cli = site.cli(['check', '--online', '--json', ...args], { key })
  const { code, stdout, stderr } = await cli.ended
  const { findings, ...rest } = JSON.parse(stdout)
  const byName = (name: string): unknown => findings.find(({ what }: { what: string }) => what === name)
  return { code, stderr, ...rest, byName }
}

test('check without --online needs neither key nor service', async () => {
  using dir = new TempDir()
  await dir.write({ ...files, 'clink-worker.yaml': 'server: { host: 0.0.0.0 }\n' })
  const { code, stdout, stderr } = await clinkWorker(['check', '--set', 'server.enabled=true'], { cwd: dir.path })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^configuration +ok +\S+clink-worker\.yaml$/m)
  expect(stdout).toMatch(/^server +warning +0\.0\.0\.0:7717 has health and metrics only: .*server\.tokenFile/m)
  expect(stdout).toMatch(/^handlers +ok +1 +h +everything +handlers\/h\.js$/m)
  expect(stdout).toMatch(/^key +warning +There is no Clink API key/m)
})

test('a token that is not there, or that can be guessed, is a failure, and 78: no worker would start', async () => {
  using dir = new TempDir()
  await dir.write({ ...files, 'clink-worker.yaml': 'server: { tokenFile: ./token }\n' })
  const { code, stdout } = await clinkWorker(['check'], { cwd: dir.path })
  expect(code).toBe(78)
  expect(stdout).toMatch(/^server +failed +server\.tokenFile: \S+token cannot be read/m)
  await dir.write({ token: 'guessed\n' })
  expect((await clinkWorker(['check'], { cwd: dir.path })).stdout).toMatch(/^server +failed +.*token holds no token/m)
})

test('a bad configuration is a failure with every problem, and 78', async () => {
  using dir = new TempDir()
  await dir.write({ 'clink-worker.yaml': 'concurrency: 0\npol: {}\n' })
  const { code, stdout } = await clinkWorker(['check'], { cwd: dir.path })
  expect(code).toBe(78)
  expect(stdout).toMatch(/^configuration +failed +\S+:1:14: concurrency: 0 .*\n +\S+:2:1: pol: /m)
})

test('bad handlers are a failure, and 78', async () => {
  using dir = new TempDir()
  await dir.write({ 'handlers/a.js': 'export default 5' })
  const { code, stdout } = await clinkWorker(['check', '--json'], { cwd: dir.path })
  expect(code).toBe(78)
  expect(JSON.parse(stdout)).toMatchObject({
    ok: false,
    exit: 78,
    findings: [{}, { what: 'state' }, { what: 'handlers', result: 'failed' }, {}],
  })
})

test('something that is no key is a failure, and 78', async () => {
  using dir = new TempDir()
  await dir.write(files)
  const { code, stdout } = await clinkWorker(['check'], { cwd: dir.path, env: { CLINK_API_KEY: 'hunter2' } })
  expect(code).toBe(78)
  expect(stdout).toMatch(/^key +failed +CLINK_API_KEY: The Clink API key does not begin with sk_live_/m)
  expect(stdout).not.toContain('hunter2')
})

test('a key file that holds something else is named', async () => {
  using dir = new TempDir()
  await dir.write({ ...files, key: 'sk_live_u_one\nsk_live_u_two\n' })
  const { code, stdout } = await clinkWorker(['check'], { cwd: dir.path, env: { CLINK_API_KEY_FILE: 'key' } })
  expect(code).toBe(78)
  expect(stdout).toContain(`${dir.path}/key: The Clink API key is cut, or holds spaces, line ends`)
  expect(stdout).not.toMatch(/sk_live_u_(one|two)/)
})

test('a key in what a handler throws while it is loaded is not shown (P13)', async () => {
  using dir = new TempDir()
  // It is found where the key is kept; and its end does not look like a part of a key to those that do not know it.
  const key = 'sk_live_u.0123456789'
  await dir.write({
    key: `${key}\n`,
    'handlers/a.js': "import { readFileSync } from 'node:fs'\nthrow new Error(`refused: ${readFileSync('key')}`)",
  })
  const env = { CLINK_API_KEY_FILE: 'key' }
  for (const args of [['check'], ['check', '--json']]) {
    const { stdout } = await clinkWorker(args, { cwd: dir.path, env })
    expect(stdout).toContain('refused: [secret]')
    expect(stdout).not.toContain('0123456789')
  }
})

test('--online looks at key, permissions, groups, clock and backlog, and changes nothing', async () => {
  await using site = await Site.start(files)
  site.emulator.send('ops', 'one')
  site.emulator.send('ops', 'two')
  const { code, stderr, ok, byName } = await check(site)
  expect({ code, stderr, ok }).toEqual({ code: 0, stderr: '', ok: true })
  expect(byName('key')).toMatchObject({ result: 'ok', detail: 'from CLINK_API_KEY' })
  expect(byName('service')).toMatchObject({ result: 'ok' })
  expect(byName('permissions')).toMatchObject({ result: 'ok', detail: expect.stringContaining('clinks:write') })
  expect(byName('groups')).toMatchObject({ result: 'ok', detail: 'ops' })
  expect(byName('clock')).toMatchObject({ result: 'ok' })
  expect(byName('backlog')).toMatchObject({
    result: 'ok',
    detail: expect.stringMatching(/^2 pending, the oldest \S+ old$/),
  })
  expect(site.emulator.requests().every(({ method }) => method === 'GET')).toBe(true)
  expect(site.emulator.clinks().map(({ status }) => status)).toEqual(['pending', 'pending'])
})

test("refusals in the API's envelope are said to be so", async () => {
  await using site = await Site.start(files)
  const { byName } = await check(site)
  expect(byName('refusals')).toMatchObject({
    result: 'ok',
    detail: "come in the API's envelope (404 to a made-up group)",
  })
})

test('refusals without the envelope are a warning that says what follows from it (§0)', async () => {
  await using site = await Site.start(files)
  site.emulator.setSwitches({ refusals: 'bare' })
  const { code, byName } = await check(site)
  expect(code).toBe(0)
  expect(byName('refusals')).toMatchObject({
    result: 'warning',
    detail: expect.stringMatching(/^come without the API's envelope \(404 .*three times/),
    advice: expect.stringMatching(/claim\.exclusive/),
  })
})

test('an error page in the place of a refusal is a warning (§0)', async () => {
  await using site = await Site.start(files)
  site.emulator.addFault({ operation: 'get_group', then: { status: 403, body: '<h1>Blocked</h1>' } })
  const { code, byName } = await check(site)
  expect(code).toBe(0)
  expect(byName('refusals')).toMatchObject({
    result: 'warning',
    detail: expect.stringMatching(/^come as error pages, perhaps not from Clink .*403 Forbidden/),
    advice: 'look at what stands in front of the service',
  })
})

test.each([
  ['an error page', '<h1>Blocked</h1>', 69],
  ['a bare refusal', { message: 'Forbidden' }, 69],
  ['a refusal by Clink', { success: false, error: 'forbidden' }, 77],
])('%s with 403 to what the key may do exits as it should (§0)', async (_, body, exit) => {
  await using site = await Site.start(files)
  site.emulator.addFault({ operation: 'get_my_permissions', then: { status: 403, body } })
  expect((await check(site)).code).toBe(exit)
})

test('a key without the permission to work is 77', async () => {
  await using site = await Site.start(files)
  const { code, byName } = await check(site, 'readonly')
  expect(code).toBe(77)
  expect(byName('permissions')).toMatchObject({
    result: 'failed',
    detail: expect.stringContaining('lacks clinks:write'),
  })
})

test('a refused key is 77', async () => {
  await using site = await Site.start(files)
  const { code, byName } = await check(site, 'suspended')
  expect(code).toBe(77)
  expect(byName('permissions')).toMatchObject({ result: 'failed', exit: 77 })
})

test('a service that is away is 69', async () => {
  await using site = await Site.start(files)
  site.emulator.disconnect()
  const { code, byName } = await check(site)
  expect(code).toBe(69)
  expect(byName('service')).toMatchObject({ result: 'failed', exit: 69 })
})

test('a clock that is hours apart is a warning', async () => {
  await using site = await Site.start(files)
  site.emulator.setSwitches({ clockSkew: '2h' })
  const { code, byName } = await check(site)
  expect(code).toBe(0)
  expect(byName('clock')).toMatchObject({ result: 'warning', detail: expect.stringMatching(/^the service is (2h|1h)/) })
})

test('--online exits with 69 where the address has a path that is not Clink’s', async () => {
  await using site = await Site.start(files)
  const env = { ...site.env(), CLINK_API_URL: `${site.env()['CLINK_API_URL'] ?? ''}/wrong` }
  const { code, stdout } = await clinkWorker(['check', '--online'], { cwd: site.dir.path, env })
  expect(stdout).toMatch(/^service +failed +.*404/m)
  expect(code).toBe(69)
})

test('--online names a group of inbox.groups that the key does not see, and those that it does', async () => {
  await using site = await Site.start(files)
  const env = { ...site.env(), CLINK_WORKER_INBOX__GROUPS: '[ops, dev]' }
  const { code, stdout } = await clinkWorker(['check', '--online'], { cwd: site.dir.path, env })
  expect([code, stdout]).toEqual([78, expect.stringContaining('inbox.groups: the key sees no group dev, only ops')])
})

test('--json is JSON whatever handlers print while they are loaded', async () => {
  using dir = new TempDir()
  await dir.write({ 'handlers/h.js': `console.log('connected')\nexport default () => 1` })
  const { stderr, stdout } = await clinkWorker(['check', '--json'], { cwd: dir.path })
  expect(JSON.parse(stdout)).toMatchObject({ ok: true })
  expect(stderr).toBe('connected\n')
})
