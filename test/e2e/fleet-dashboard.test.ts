import { expect, test } from 'vitest'
import { needBrowser, OpenPage } from '../support/browser.ts'
import { FleetSite } from '../support/fleet-site.ts'
import { clusterOfFile } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import type { Command } from '../support/command.ts'

const cluster = clusterOfFile()
const SERVED = ['--set', 'server.enabled=true', '--set', 'server.port=0']
const LISTENS = /"event":"server\.listening".*?"url":"([^"]+)"/

async function urlOf(worker: Command): Promise<string> {
  await until(
    () => LISTENS.test(worker.output),
    () => `it listens:\n${worker.output}`,
  )
  return LISTENS.exec(worker.output)?.[1] ?? ''
}

test(
  '§2: the dashboard of one member lists all, what is paused for them, and who is silent',
  { timeout: 90_000 },
  async (context) => {
    needBrowser(context)
    await using fleet = await FleetSite.open(context, cluster)
    const url = await urlOf(fleet.command('a', 'run', ...SERVED))
    const other = fleet.command('b', 'run')
    await using open = await OpenPage.at(url)
    const { page } = open
    fleet.send('hangs')
    await page.getByRole('link', { name: 'Fleet' }).click()
    const members = page.getByRole('table', { name: 'Workers of the fleet' }).getByRole('row')
    await page.getByText('2 workers remember together as default, with 1 clink in hand.').waitFor()
    await until(async () => (await members.getByText('ready', { exact: true }).count()) === 2, 'both are ready')
    expect(await fleet.said('a', 'pause', '--fleet', '--note', 'the <b>bank</b> is closed')).toMatch(/^0 /)
    await page.getByText(/^Everything is paused in the fleet \(by .*: the <b>bank<\/b> is closed\)$/).waitFor()
    other.signal('SIGKILL')
    await other.exited
    await members.filter({ hasText: 'silent' }).waitFor({ timeout: 40_000 })
    await page.getByText('1 worker remembers together').waitFor()
    await open.picture('fleet')
    expect(await open.barriers()).toEqual([])
    expect(open.trouble).toEqual([])
  },
)

test('§2: a worker that remembers alone has no page of a fleet, and says so to whoever asks', async (context) => {
  needBrowser(context)
  await using fleet = await FleetSite.open(context, cluster)
  const alone = fleet.site.startWith({ STATE_DIRECTORY: `${fleet.site.directory}/alone` }, 'run', ...SERVED)
  const url = await urlOf(alone)
  expect(await (await fetch(`${url}/api/fleet`)).json()).toBeNull()
  await using open = await OpenPage.at(`${url}/#fleet`)
  await open.page.getByText('This worker remembers alone').waitFor()
  expect(await open.page.getByRole('link', { name: 'Fleet' }).count()).toBe(0)
})
