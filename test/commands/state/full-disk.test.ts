import { copyFileSync, mkdirSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { Site } from '../../support/command.ts'
import { SmallDisk } from '../../support/small-disk.ts'

const fixture = join(import.meta.dirname, '../../journal/fixtures/before-rooms.db')
const files = { handler: "export default () => 'done'", config: '' }

async function siteWithJournal(): Promise<Site> {
  const site = await Site.open(files)
  mkdirSync(join(site.directory, 'state'))
  copyFileSync(fixture, join(site.directory, 'state/journal.db'))
  return site
}

async function said(site: Site, ...args: string[]): Promise<[number | null, string]> {
  const command = site.start('state', ...args)
  return [await command.exited, command.output]
}

it('a backup names the place that has no space, not the journal, and leaves nothing there', async (context) => {
  await using site = await siteWithJournal()
  using disk = new SmallDisk(context, '16k')
  const place = dirname(disk.state)
  const target = join(place, 'copy.db')
  const full = [75, expect.stringContaining(`${target} cannot be written: there is no space for it`)]
  expect(await said(site, 'backup', target)).toEqual(full)
  expect(readdirSync(place)).toEqual([])
  disk.fill()
  expect(await said(site, 'backup', target)).toEqual([75, expect.stringContaining('there is no space for it')])
  disk.makeReadOnly()
  expect(await said(site, 'backup', target)).toEqual([64, expect.stringContaining('no file can be written there')])
})

it('a restoration on a full disk says so, and leaves the journal as it was', async (context) => {
  await using site = await siteWithJournal()
  using disk = new SmallDisk(context, '20k')
  const [exit, output] = await said(site, 'restore', 'state/journal.db', '--state', disk.state)
  expect([exit, output]).toEqual([75, expect.stringMatching(/there is no space for it|the disk is full/)])
  expect(readdirSync(disk.state).filter((name) => name.startsWith('journal.db'))).toEqual([])
})
