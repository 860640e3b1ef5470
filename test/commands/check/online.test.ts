import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { expect, test } from 'vitest'
import { Cli, clinkWorker } from '../../support/cli.ts'
import { selfSigned } from '../../support/certificate.ts'
import { listen } from '../../support/loopback.ts'
import { handler, Site } from '../../support/site.ts'
import { TempDir } from '../../support/temp-dir.ts'

const files = { 'handlers/h.js': handler('') }

async function findings(site: Site, more: Readonly<Record<string, string>> = {}) {
  const env = { ...site.env(), ...more }
  const { stdout, stderr } = await clinkWorker(['check', '--online', '--json'], { cwd: site.dir.path, env })
  expect(stderr).toBe('')
  const all: readonly { what: string; result: string; detail: string }[] = JSON.parse(stdout).findings
  return (what: string) => all.filter((one) => one.what === what)
}

/** What it says of an address, from the service on. */
async function report(url: string, more: Readonly<Record<string, string>> = {}) {
  using dir = new TempDir()
  await dir.write(files)
  const env = { CLINK_API_URL: url, CLINK_API_KEY: 'sk_live_u_0123456789abcdef', ...more }
  const { code, stdout } = await clinkWorker(['check', '--online'], { cwd: dir.path, env })
  return { code, text: stdout.replaceAll(/ +/g, ' ') }
}

test('--online says how fast answers come, by whose hands, and whether a stop has its time', async () => {
  await using site = await Site.start(files)
  const found = await findings(site)
  expect(found('latency')).toMatchObject([
    { result: 'ok', detail: expect.stringMatching(/^\S+ as a rule, \S+ at most, \S+ with the connection$/) },
  ])
  expect(found('way')).toMatchObject([{ detail: expect.stringContaining('straight from the service') }])
  expect(found('stop')).toMatchObject([{ detail: expect.stringContaining('a stop takes 25.0s at most') }])
  // The way to it is on this machine.
  expect(found('tls')).toEqual([])
})

test('what is found is shown at once, while the service has not answered yet', async () => {
  const asked = Promise.withResolvers<void>()
  const server = createServer((_request, response) => {
    asked.promise.then(
      () => response.destroy(),
      () => {},
    )
  })
  const url = await listen(server)
  using dir = new TempDir()
  await dir.write(files)
  const env = { CLINK_API_URL: url, CLINK_API_KEY: 'sk_live_u_0123456789abcdef' }
  await using check = new Cli(['check', '--online'], { cwd: dir.path, env })
  await check.said(/^configuration +ok .*^key +ok /ms)
  expect(check.stdout).not.toMatch(/^service/m)
  asked.resolve()
  await check.said(/^service +failed /m)
  expect((await check.ended).code).toBe(69)
  server.close()
})

test('--online says of claims what cannot be known yet, and what the running worker knows; it claims nothing', async () => {
  await using site = await Site.start({
    'handlers/h.js': handler(
      'await new Promise((resolve, reject) => ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason)))',
    ),
    'clink-worker.yaml': 'claim: { timeout: 4s }\n',
  })
  const before = await findings(site)
  for (const what of ['siblings', 'times', 'renewal']) expect(before(what)).toMatchObject([{ result: 'unknown' }])
  {
    await using worker = site.run('--set', 'inbox.claim=select')
    site.emulator.send('ops', 'work')
    await worker.said(/clink\.started/)
    await worker.said(/"event":"clink\.renewed"/)
    await worker.said(/worker\.siblings/)
    const during = await findings(site)
    expect(during('renewal')).toMatchObject([
      { result: 'ok', detail: 'the service renews claims, as the running worker has seen' },
    ])
    expect(during('times')).toMatchObject([{ result: 'ok', detail: expect.stringContaining('the running worker') }])
    worker.kill('SIGTERM')
    await worker.ended
  }
  // It is in the journal, which is not taken for this.
  expect((await findings(site))('siblings')).toMatchObject([
    { result: 'ok', detail: expect.stringContaining('keeps sessions of one key apart') },
  ])
  const seen = site.emulator.requests().length
  await findings(site)
  const asked = site.emulator.requests().slice(seen)
  expect(asked.filter(({ method, path }) => method !== 'GET' || path.includes('claim=true'))).toEqual([])
}, 60_000)

test('claimed clinks that say neither since when nor until when they are claimed are a warning', async () => {
  await using site = await Site.start(files)
  site.emulator.send('ops', 'work')
  await site.cli(['api', 'check_inbox', 'claim=true']).ended
  expect((await findings(site))('times')).toMatchObject([{ result: 'ok' }])
  site.emulator.setSwitches({ claimTimes: 'absent' })
  expect((await findings(site))('times')).toMatchObject([
    { result: 'warning', advice: expect.stringContaining('claim_expires_at') },
  ])
})

test('a route for a group that the key does not see is a warning with its line, and an old backlog is one', async () => {
  await using site = await Site.start({
    ...files,
    'clink-worker.yaml': 'routes:\n  - { name: deploy, match: { group: opps }, use: handlers/h.js }\n',
  })
  site.emulator.send('ops', 'work')
  site.emulator.moveClock(-7_200_000)
  const found = await findings(site)
  expect(found('groups')).toMatchObject([
    { result: 'ok' },
    {
      result: 'warning',
      detail: expect.stringMatching(/clink-worker\.yaml:2: the route deploy is for "opps", and the key sees only ops$/),
    },
  ])
})

test('a backlog whose oldest clink has waited for long is a warning with what to do', async () => {
  await using site = await Site.start(files)
  site.emulator.send('ops', 'work')
  // What counts is when the service says that it was sent.
  site.emulator.addFault({
    operation: 'check_inbox',
    then: {
      status: 200,
      body: {
        success: true,
        data: { clinks: [{ ...site.emulator.clinks()[0], created_at: '2020-01-01T00:00:00Z' }], count: 1 },
      },
    },
  })
  expect((await findings(site))('backlog')).toMatchObject([
    { result: 'warning', detail: expect.stringMatching(/^1 pending/), advice: expect.stringContaining('--dry-run') },
  ])
})

test('a key without members:read is a warning that says what is lost', async () => {
  await using site = await Site.start(files)
  const granted = { 'clinks:read': true, 'clinks:write': true }
  site.emulator.addFault({
    operation: 'get_my_permissions',
    then: {
      status: 200,
      body: {
        success: true,
        data: {
          permissions: granted,
          permissions_info: {},
          owner_type: 'user',
          scope_type: 'group',
          scope_id: 'g',
          api_key_id: 'k',
        },
      },
    },
  })
  expect((await findings(site))('permissions')).toMatchObject([
    { result: 'warning', detail: expect.stringMatching(/not members:read$/) },
  ])
})

test('a page in the place of Clink is said to be that, with the hands it came by, and what to do; 69', async () => {
  const page = createServer((_, answer) => {
    answer
      .writeHead(200, { 'content-type': 'text/html', via: '1.1 squid' })
      .end('<html>Sign in to use the network</html>')
  })
  const { code, text } = await report(await listen(page))
  page.close()
  expect(code).toBe(69)
  expect(text).toMatch(/^service failed health: 200, but the answer cannot be used: .*text\/html\)$/m)
  expect(text).toMatch(/^ → what answers is not Clink: a proxy, a page to sign in/m)
  expect(text).toMatch(/^way ok answers come by other hands: via: 1\.1 squid$/m)
  expect(text).toMatch(/\n1 failed: it cannot work like this/)
})

test('a certificate that nobody vouches for is described, with whom this machine trusts and what to do; 69', async () => {
  const certificate = selfSigned()
  let requests = 0
  const server = createSecureServer(certificate, (_, answer) => {
    requests += 1
    answer.end('{}')
  })
  const url = await listen(server, 'https')
  try {
    const { code, text } = await report(url, { NODE_EXTRA_CA_CERTS: '' })
    expect(code).toBe(69)
    expect(text).toMatch(
      /^tls failed TLSv1\.3, certificate of test by test, until 2049-12-31; not believed: it has signed itself \(trusted: the authorities that Node comes with\)$/m,
    )
    expect(text).toMatch(/^ → .*NODE_EXTRA_CA_CERTS/m)
    expect(text).not.toMatch(/^service/m)
    // The key was sent to nobody.
    expect(requests).toBe(0)

    using dir = new TempDir()
    await dir.write({ 'ca.pem': certificate.cert })
    const trusted = await report(url, { NODE_EXTRA_CA_CERTS: `${dir.path}/ca.pem` })
    expect(trusted.text).toMatch(
      /^tls ok TLSv1\.3, .*; trusted: the authorities that Node comes with, and \S+ca\.pem$/m,
    )

    const blind = await report(url, { NODE_EXTRA_CA_CERTS: '', NODE_TLS_REJECT_UNAUTHORIZED: '0' })
    expect(blind.text).toMatch(/^tls warning .*NODE_TLS_REJECT_UNAUTHORIZED=0\)$/m)
    expect(blind.text).toMatch(/^service ok /m)

    const unread = await report(url, { NODE_EXTRA_CA_CERTS: `${dir.path}/none.pem`, NODE_USE_SYSTEM_CA: '1' })
    expect(unread.text).toMatch(
      /trusted: the authorities that Node comes with, those of the system, and \S+none\.pem, which could not be read\)$/m,
    )
  } finally {
    server.close()
  }
})

test('a service in the clear beyond this machine is a warning; one that is not there says where to look', async () => {
  const { code, text } = await report('http://no-such-host.invalid')
  expect(code).toBe(69)
  expect(text).toMatch(/^tls warning none: the key and what clinks say travel in the clear\n → write clink\.url/m)
  expect(text).toMatch(/^service failed health: the name was not resolved/m)
  expect(text).toMatch(/^ → look at the host in clink\.url/m)
})

test('a wrong key is said once, with what to do', async () => {
  await using site = await Site.start(files)
  const env = { ...site.env(), CLINK_API_KEY: 'sk_live_u_0123456789abcdef' }
  const { code, stdout } = await clinkWorker(['check', '--online'], { cwd: site.dir.path, env })
  expect(code).toBe(77)
  expect(stdout.match(/\b401\b/g)).toHaveLength(1)
  expect(stdout).toMatch(/^ +→ put the right key where the line "key" above says/m)
})

test.each([
  [
    'that no name server knows',
    async () => 'https://no-such-host.invalid',
    /the name was not resolved/,
    /look at the host/,
  ],
  ['that nothing listens on', closedPort, /no connection: connect ECONNREFUSED/, /look at clink\.url, at firewalls/],
  [
    'that does not speak TLS',
    plainServer,
    /no secure connection: wrong version number/,
    /look at the port and at https:\/\//,
  ],
])('an https address %s is a finding with what to do; 69', async (_, address, what, advice) => {
  const { code, text } = await report(await address())
  expect(code).toBe(69)
  expect(text).toMatch(new RegExp(`^tls failed ${what.source}.*\n → ${advice.source}`, 'm'))
  expect(text).toMatch(/\n1 failed: it cannot work like this/)
})

test('a proxy that opens no way to an https address is a finding that names it; 69', async () => {
  const proxy = createServer().on('connect', (_, socket) => socket.end('HTTP/1.1 407 Sign in\r\n\r\n'))
  const { code, text } = await report('https://clink.test', { HTTPS_PROXY: await listen(proxy) })
  proxy.close()
  expect(code).toBe(69)
  expect(text).toMatch(/^tls failed the proxy \S+ refuses: 407 Sign in; give user and password in HTTPS_PROXY/m)
})

test.each([
  ['of a limit', { status: 429, headers: { 'retry-after': '3600' } }, 69, /wait 1h 00m, and look at who else/],
  ['that forbids', { status: 403 }, 77, /the service knows the key and does not let it ask this/],
  ['that leads elsewhere', { status: 302, headers: { location: 'https://x.test/' } }, 69, /if Clink is where it leads/],
] as const)('an answer %s is followed by what to do about that', async (_, then, exit, advice) => {
  await using site = await Site.start(files)
  site.emulator.addFault({ operation: 'list_groups', then: { error: 'no', ...then } })
  const { code, stdout } = await clinkWorker(['check', '--online'], { cwd: site.dir.path, env: site.env() })
  expect(code).toBe(exit)
  expect(stdout).toMatch(new RegExp(`^groups +failed +list_groups: ${then.status} .*\n +→ ${advice.source}`, 'm'))
})

test('what could not be asked for its own sake says what to do, and a key that is refused meanwhile is not well; 77', async () => {
  await using site = await Site.start(files)
  site.emulator.addFault({ operation: 'get_group', times: 2, then: { status: 503 } })
  site.emulator.addFault({ operation: 'get_clinks', then: { status: 503 } })
  const found = await findings(site)
  const advice = expect.stringContaining('the service fails')
  expect(found('refusals')).toMatchObject([{ result: 'warning', advice }])
  expect(found('times')).toMatchObject([{ result: 'unknown', advice }])

  site.emulator.addFault({ operation: 'get_group', then: { status: 401, error: 'unauthorized' } })
  expect((await findings(site))('refusals')).toMatchObject([
    { result: 'failed', exit: 77, advice: expect.stringContaining('put the right key') },
  ])
})

test('clinks are as old as the clock of the service says', async () => {
  await using site = await Site.start(files)
  site.emulator.moveClock(-3_600_000)
  site.emulator.send('ops', 'work')
  const found = await findings(site)
  expect(found('clock')).toMatchObject([{ result: 'warning' }])
  expect(found('backlog')).toMatchObject([{ result: 'ok', detail: expect.stringMatching(/^1 pending, the oldest \d/) }])
})

test('a service that does not say what time it is leaves the clock unknown, with nothing to do', async () => {
  const service = createServer((_, answer) => {
    answer.sendDate = false
    answer.setHeader('content-type', 'application/json').end('{"success":true,"data":{}}')
  })
  const { text } = await report(await listen(service))
  service.close()
  expect(text).toMatch(/^clock unknown how far .*\n → nothing, claims do not depend on it$/m)
})

async function closedPort(): Promise<string> {
  const server = createServer()
  const url = await listen(server, 'https')
  await new Promise((resolve) => server.close(resolve))
  return url
}

async function plainServer(): Promise<string> {
  const server = createServer().unref()
  return await listen(server, 'https')
}
