import { expect, test } from 'vitest'
import { needBrowser, OpenPage } from '../support/browser.ts'
import type { Cli } from '../support/cli.ts'
import { Site } from '../support/site.ts'
import { until } from '../support/until.ts'

const HTML = '<img src=x onerror="document.title=1"> <script>alert(1)</script> &amp; مرحبا بالعالم'

/** Runs until it is told to end; fails and never comes right where its clink says so. */
const SLOW = `export default { match: { content: /^slow/ }, async handle(clink, ctx) {
  ctx.log.info('has begun: <b>bold</b>, photo\\u202Egpj.exe\\u0007')
  await ctx.step('first <i>step</i>', () => 1)
  await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve))
  throw ctx.signal.reason
} }`
const FLAKY = `import { existsSync } from 'node:fs'
export default { match: { content: /^flaky/ }, retry: { attempts: 1 }, handle(clink) {
  if (existsSync('mended') || clink.content.endsWith('good')) return 'printed'
  throw new Error('the printer ' + Math.floor(Math.random() * 1e6) + ' is on fire')
} }`
const QUICK = `export default { match: { content: /^quick/ }, handle: () => 'at once' }`
const QUOTING = `export default { match: { content: /^quoting/ }, retry: { attempts: 1 }, handle(clink) { throw new Error('cannot read ' + clink.content) } }`
const FILES = {
  'handlers/slow.js': SLOW,
  'handlers/flaky.js': FLAKY,
  'handlers/quick.js': QUICK,
  'handlers/quoting.js': QUOTING,
}

/** @param more instead of the usual ones of the same keys. */
function settings(...more: readonly string[]): string[] {
  const all = ['server.enabled=true', 'server.port=0', 'claim.timeout=30s', ...more]
  const byKey = new Map(all.map((one) => [one.slice(0, one.indexOf('=')), one]))
  return [...byKey.values()].flatMap((one) => ['--set', one])
}

async function urlOf(worker: Cli): Promise<string> {
  const [, url = ''] = await worker.said(/"event":"server\.listening".*"url":"([^"]+)"/)
  return url.replace('0.0.0.0', '127.0.0.1')
}

/** A worker with a clink that runs, some that have failed, and its page. */
async function opened(site: Site, ...more: readonly string[]) {
  const { emulator } = site
  const slow = emulator.send('ops', `slow ${HTML}`, { from: 'bob' })
  // A route on which all fails would be paused.
  for (let n = 0; n < 24; n += 1) emulator.send('ops', `flaky ${n} ${n % 2 === 0 ? 'good' : 'bad'}`, { from: 'bob' })
  emulator.send('ops', `quoting ${HTML}`, { from: 'bob' })
  emulator.send('ops', 'nobody takes this', { from: 'bob' })
  const worker = site.run(...settings(...more))
  const url = await urlOf(worker)
  return { worker, url, slow: slow.clink_id }
}

test('§5: the dashboard shows what runs, its lease, what failed, and retries a group whole', async (context) => {
  needBrowser(context)
  await using site = await Site.start(FILES)
  const { slow, url, worker } = await opened(site)
  await using _ = worker
  await using open = await OpenPage.at(url)
  const { page } = open
  const row = page.getByRole('row').filter({ hasText: slow })
  await row.getByText(String.raw`has begun: <b>bold</b>, photo\u202egpj.exe\u0007`).waitFor()
  const notWorked = page.getByRole('table', { name: 'Clinks that wait and are not worked now' })
  await notWorked.getByRole('row').filter({ hasText: 'no route takes it' }).waitFor()
  const lease = page.getByRole('meter', { name: `Lease left of ${slow}` })
  const before = Number(await lease.getAttribute('aria-valuenow'))
  await until(async () => Number(await lease.getAttribute('aria-valuenow')) < before, 'the lease runs down')
  const width = (await lease.locator('div').boundingBox())?.width ?? 0
  await until(async () => ((await lease.locator('div').boundingBox())?.width ?? 0) < width, 'its bar moves')
  await page.getByRole('link', { name: 'Failures 13' }).waitFor()
  await open.picture('now')
  expect(await open.barriers()).toEqual([])

  await page.getByRole('navigation').getByRole('link', { name: 'Failures' }).click()
  const group = page.getByRole('row').filter({ hasText: 'the printer … is on fire' })
  await expect.poll(async () => await group.locator('strong').textContent()).toBe('12')
  await page.getByText('(an error that quotes its clink)').waitFor()
  await open.picture('failures')
  expect(await open.barriers()).toEqual([])
  await site.dir.write({ mended: '' })
  await group.getByRole('button', { name: 'Retry all' }).click()
  await page.getByRole('dialog').getByText('Retry 12 dead letters of flaky?').waitFor()
  await open.picture('retry')
  expect(await open.barriers()).toEqual([])
  await page.getByRole('dialog').getByRole('button', { name: 'Retry all 12' }).click()
  await page.getByRole('status').getByText('Retried 12 dead letters').waitFor()
  await until(() => site.emulator.clinks().filter(({ status }) => status === 'completed').length >= 24, 'all have run')
  await group.waitFor({ state: 'detached' })
  expect(open.trouble).toEqual([])
})

test('§5: the dashboard tells the story of a clink, and shows what it says only where asked, as text', async (context) => {
  needBrowser(context)
  await using site = await Site.start(FILES)
  const { slow, url, worker } = await opened(site)
  await using _ = worker
  await using open = await OpenPage.at(url)
  const { page } = open
  await page.getByRole('link', { name: slow }).click()
  await page.getByRole('heading', { name: `Clink ${slow}` }).waitFor()
  for (const moment of ['Claimed', 'Started', 'Step']) await page.getByText(moment, { exact: true }).waitFor()
  await page.getByText('first <i>step</i>').waitFor()
  expect(await page.content()).not.toContain('مرحبا')
  await page.getByRole('button', { name: 'Show its content' }).click()
  await page.locator('pre', { hasText: `slow ${HTML}` }).waitFor()
  await page.getByRole('button', { name: 'Show its log' }).click()
  await page.locator('.log').getByText('has begun: <b>bold</b>').waitFor()
  expect(await page.locator('main img, main b, main i, main script').count()).toBe(0)
  await open.picture('clink')
  expect(await open.barriers()).toEqual([])

  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('button', { name: 'Cancel, make it a dead letter' }).click()
  await page.getByText('Given up', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Run again' }).waitFor()
  // By its keyboard alone.
  await page.getByRole('searchbox', { name: 'Find a clink by its id' }).fill('no-such-clink')
  await page.keyboard.press('Enter')
  await page.getByText('This process has not worked it').waitFor()
  expect(open.trouble).toEqual([])
})

test('§5: the dashboard pauses, resumes and drains the worker, and shows its inbox, routes and health', async (context) => {
  needBrowser(context)
  await using site = await Site.start(FILES)
  const { slow, url, worker } = await opened(site)
  await using _ = worker
  await using open = await OpenPage.at(url)
  const { page } = open
  await page.getByRole('button', { name: 'Pause', exact: true }).click()
  await page.getByRole('textbox').fill('the printer is being mended')
  await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click()
  await page.locator('#state').getByText('paused').waitFor()
  await page.getByText('clink-worker resume').waitFor()
  await page.getByText('the printer is being mended').first().waitFor()
  await open.picture('paused')
  expect(await open.barriers()).toEqual([])
  await page.getByRole('button', { name: 'Resume' }).click()
  await page.locator('#state').getByText('works').waitFor()

  await page.getByRole('navigation').getByRole('link', { name: 'Routes' }).click()
  await page.getByRole('button', { name: 'Pause the route quick' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click()
  const quick = page.getByRole('row').filter({ hasText: 'handlers/quick.js' })
  await quick.getByText('paused', { exact: true }).waitFor()
  await open.picture('routes')
  expect(await open.barriers()).toEqual([])
  site.emulator.send('ops', 'quick', { from: 'bob' })

  await page.getByRole('navigation').getByRole('link', { name: 'Inbox' }).click()
  await page.getByText('no route takes it').waitFor()
  await open.picture('inbox')
  expect(await open.barriers()).toEqual([])

  await page.getByRole('navigation').getByRole('link', { name: 'Health' }).click()
  await page.getByRole('row').filter({ hasText: 'complete_clink' }).first().waitFor()
  await page.getByRole('cell', { name: 'the printer is being mended' }).waitFor()
  await open.picture('health')
  expect(await open.barriers()).toEqual([])

  await page.getByRole('button', { name: 'Drain', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click()
  await page.locator('#state').getByText('draining').waitFor()
  await page.getByRole('navigation').getByRole('link', { name: 'Now' }).click()
  await page.getByRole('button', { name: `Cancel the clink ${slow}` }).click()
  await page.getByRole('button', { name: 'Cancel, give it back' }).click()
  await page.locator('#state').getByText('drained').waitFor()
  await page.getByText('No handler runs.').waitFor()
  expect(open.trouble).toEqual([])
})

test('§5: what is shown is greyed when the worker is gone, and live again when it is back', async (context) => {
  needBrowser(context)
  await using site = await Site.start(FILES)
  const first = await opened(site)
  await using gone = first.worker
  await using open = await OpenPage.at(first.url, { colorScheme: 'dark' })
  const { page } = open
  await page.getByRole('link', { name: first.slow }).waitFor()
  gone.kill('SIGKILL')
  await gone.ended
  await page
    .getByRole('alert')
    .getByText(/No word from the worker since \d/)
    .waitFor()
  expect(await page.evaluate('getComputedStyle(document.querySelector("main")).opacity')).toBe('0.5')
  await open.picture('gone-dark')
  await using _ = site.run(...settings(`server.port=${new URL(first.url).port}`))
  await page.getByRole('alert').waitFor({ state: 'hidden' })
  await page.locator('#state').getByText('works').waitFor()
  await page.getByRole('link', { name: first.slow }).click()
  await page.getByText('Started', { exact: true }).waitFor()
  expect(await open.barriers()).toEqual([])
  expect(open.trouble).toEqual([])
})

/** What makes a page wider than its window. */
const TOO_WIDE = `document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll('body *')]
  .filter((one) => one.getBoundingClientRect().right > innerWidth && one.closest('.unseen, thead') === null)
  .map((one) => one.outerHTML.slice(0, 200))`

test('§5: on a phone, and with a token', async (context) => {
  needBrowser(context)
  await using site = await Site.start({ ...FILES, token: 'a-token-that-nobody-guesses' })
  const { slow, url, worker } = await opened(site, 'server.host=0.0.0.0', 'server.tokenFile=token')
  await using _ = worker
  await using open = await OpenPage.at(url, { viewport: { width: 390, height: 844 }, colorScheme: 'dark' })
  const { page } = open
  await page.getByRole('textbox', { name: 'Token' }).fill('another-token-than-that')
  await page.getByRole('button', { name: 'Show the worker' }).click()
  await page.getByText('this is not the token').waitFor()
  await open.picture('token-phone')
  await page.getByRole('textbox', { name: 'Token' }).fill('a-token-that-nobody-guesses')
  await page.getByRole('button', { name: 'Show the worker' }).click()
  await page.getByRole('link', { name: slow }).waitFor()
  await open.picture('now-phone')
  expect(await open.barriers()).toEqual([])
  for (const view of ['Inbox', 'Failures', 'Routes', 'Health', 'Now']) {
    await page.getByRole('navigation').getByRole('link', { name: view }).click()
    await page.getByRole('heading', { level: 1, name: view }).waitFor({ state: 'attached' })
    const wide = await page.evaluate(TOO_WIDE)
    expect(wide, `${view} is no wider than the phone`).toEqual([])
    await open.picture(`${view.toLowerCase()}-phone`)
  }
  expect(worker.stdout).not.toContain('a-token-that-nobody-guesses')
  expect(open.trouble).toEqual([])
})
