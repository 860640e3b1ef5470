import { expect, test } from 'vitest'
import { Cli } from '../support/cli.ts'
import { unbuilt } from '../support/program.ts'
import { connected } from '../support/raw-http.ts'
import { handler, Site } from '../support/site.ts'
import { until } from '../support/until.ts'

const PRELOADED = new URL('../support/preloaded/', import.meta.url)
const SERVER = ['--set', 'server.enabled=true', '--set', 'server.port=0']

/** A worker with an HTTP server in a process that has loaded these first; its time goes `hurry` times as fast. */
function start(site: Site, own: Record<string, string> = {}, ...preloaded: readonly string[]): Cli {
  const imports = preloaded.map((name) => `--import=${new URL(name, PRELOADED).href}`).join(' ')
  const env = { ...site.env(), NODE_OPTIONS: imports, ...own }
  return new Cli(['run', '--log-level', 'debug', ...SERVER], { cwd: site.dir.path, env, program: unbuilt })
}

async function addressOf(worker: Cli): Promise<string> {
  const [, url = ''] = await worker.said(/"event":"server\.listening".*"url":"([^"]+)"/)
  return url
}

async function ask(url: string, path: '/livez' | '/readyz'): Promise<{ status: number; reasons: string }> {
  const response = await fetch(url + path)
  const { reasons }: { reasons: string[] } = JSON.parse(await response.text())
  return { status: response.status, reasons: reasons.join() }
}

/**
 * Asks until it says that it is not alive, and why. `alive` is when it was asked for the last time that said it was, in milliseconds of the
 * hurried worker: where the machine stands still for a while, an answer is late, and no worker lives longer.
 */
async function death(url: string, hurry: number): Promise<{ alive: number; reasons: string }> {
  const start = performance.now()
  let asked = 0
  let alive = 0
  let reasons = ''
  await until(async () => {
    alive = asked
    asked = (performance.now() - start) * hurry
    const live = await ask(url, '/livez')
    ;({ reasons } = live)
    return live.status === 503
  }, 'it says that it is not alive')
  return { alive, reasons }
}

test('P12: a worker that works is alive and ready, and a stop ends both the worker and its server', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler('') })
  await using worker = start(site)
  const url = await addressOf(worker)
  await worker.said(/worker\.ready/)
  expect(await ask(url, '/livez')).toEqual({ status: 200, reasons: '' })
  expect(await ask(url, '/readyz')).toEqual({ status: 200, reasons: '' })
  worker.kill('SIGTERM')
  expect(await worker.ended).toMatchObject({ code: 0 })
  await expect(fetch(url)).rejects.toThrow()
})

test('P12: five minutes without the service are no reason to end the worker; it is not ready meanwhile, and says why', async () => {
  const HURRY = 10
  await using site = await Site.start({ 'handlers/h.js': handler('') })
  await using worker = start(site, { HURRY: String(HURRY) }, 'hurried-time.js')
  const url = await addressOf(worker)
  await worker.said(/worker\.ready/)
  site.emulator.disconnect()
  const seen = new Set<string>()
  const end = performance.now() + 300_000 / HURRY
  await until(async () => {
    const [live, ready] = [await ask(url, '/livez'), await ask(url, '/readyz')]
    seen.add(`${live.status} ${live.reasons}`)
    seen.add(`${ready.status} ${ready.reasons.replace(/:.*/s, '')}`)
    return performance.now() > end
  }, 'five minutes are over')
  expect([...seen].sort()).toEqual(['200 ', '503 the service does not answer as it should'])
  await site.emulator.reconnect()
  await until(async () => (await ask(url, '/readyz')).status === 200, 'it is ready again')
})

// What a loop may be late, and the two seconds in which it may come round, are 22 s; the rest is how long it meant to wait.
test.each([
  { loop: 'poll', meant: 2_000, after: /worker\.ready/, handles: '' },
  {
    loop: 'renewal',
    meant: 60_000,
    after: /clink\.renewed/,
    handles: 'await new Promise((end) => setTimeout(end, 3_600_000))',
  },
  { loop: 'settlement', meant: 10_000, after: /clink\.settlementFailed/, handles: '' },
])(
  'P12: a $loop loop that lost its timer is not alive half a minute after it was due',
  async ({ after, handles, loop, meant }) => {
    // The faster time runs, the more of the bound a machine takes that stands still for half a second.
    const HURRY = 8
    await using site = await Site.start({ 'handlers/h.js': handler(handles) })
    site.emulator.addFault({ operation: 'complete_clink', then: { status: 503 } })
    site.emulator.send('ops', 'task', { from: 'bob' })
    const own = { HURRY: String(HURRY), WEDGE: loop }
    await using worker = start(site, own, 'hurried-time.js', 'wedge.js')
    const url = await addressOf(worker)
    await worker.said(after)
    const { alive, reasons } = await death(url, HURRY)
    expect(reasons).toMatch(
      new RegExp(`^the ${loop}( of \\S+)? stands still since .* ago; it was due \\d\\d(\\.\\d)?s ago$`),
    )
    expect(alive).toBeLessThan(meant + 30_000)
  },
)

test('P12: a worker whose handler does not let go answers no probe', async () => {
  await using site = await Site.start({
    'handlers/h.js': handler('for (const end = Date.now() + 20_000; Date.now() < end; );'),
  })
  await using worker = start(site)
  const url = await addressOf(worker)
  await worker.said(/worker\.ready/)
  site.emulator.send('ops', 'hello', { from: 'bob' })
  await worker.said(/clink\.started/)
  await expect(fetch(`${url}/livez`, { signal: AbortSignal.timeout(1_000) })).rejects.toThrow(/timeout/)
})

test('P12: while it drains it is alive and not ready', async () => {
  await using site = await Site.start({
    'handlers/h.js': handler('await new Promise((end) => setTimeout(end, 60_000))'),
  })
  site.emulator.send('ops', 'task', { from: 'bob' })
  await using worker = start(site)
  const url = await addressOf(worker)
  await worker.said(/clink\.started/)
  worker.kill('SIGTERM')
  await worker.said(/worker\.stopping/)
  expect(await ask(url, '/livez')).toEqual({ status: 200, reasons: '' })
  expect(await ask(url, '/readyz')).toEqual({ status: 503, reasons: 'the worker is stopping' })
})

test('§7: a chosen port that is in use is one line and exit 69, and nothing is claimed', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler('') })
  await using first = start(site)
  const { port } = new URL(await addressOf(first))
  const id = site.emulator.send('ops', 'task', { from: 'bob' }).clink_id
  await first.said(/clink\.completed/)
  await using second = new Cli(
    ['run', '--set', 'server.enabled=true', '--set', `server.port=${port}`, '--set', 'state.directory=other'],
    {
      cwd: site.dir.path,
      env: site.env(),
    },
  )
  const { code, stderr, stdout } = await second.ended
  expect({ code, stdout }).toEqual({ code: 69, stdout: '' })
  expect(stderr).toMatch(
    new RegExp(`^[^\\n]*127\\.0\\.0\\.1:${port} is in use already; choose another server\\.port[^\\n]*\\n$`),
  )
  expect(id).not.toBe('')
})

test('§7: a body that nobody reads, and callers that never end, do not keep a stop from its end', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler('') })
  await using worker = start(site, { CLINK_WORKER_SHUTDOWN__TIMEOUT: '2s', CLINK_WORKER_SHUTDOWN__DRAIN: '1s' })
  const url = await addressOf(worker)
  await worker.said(/worker\.ready/)
  const sockets = await Promise.all(Array.from({ length: 20 }, async () => await connected(url)))
  for (const socket of sockets) socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: ')
  const from = performance.now()
  worker.kill('SIGTERM')
  expect(await worker.ended).toMatchObject({ code: 0 })
  expect(performance.now() - from).toBeLessThan(3_000)
  for (const socket of sockets) socket.destroy()
})
