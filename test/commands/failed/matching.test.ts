import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openState } from '../../../src/journal/state.ts'
import type { Ended } from '../../support/cli.ts'
import { clink } from '../../support/sample-records.ts'
import { handler, Site } from '../../support/site.ts'
import { letter } from '../../support/states.ts'

const HOUR = 3_600_000

async function failed(site: Site, ...args: string[]): Promise<Ended> {
  return await site.say('failed', ...args)
}

/** 1,300 dead letters, half of them of the route `a`, half of those older than an hour. */
async function siteWithLetters(): Promise<Site> {
  const site = await Site.start({ 'handlers/h.js': handler('') })
  const state = openState({ directory: join(site.dir.path, 'state'), sync: 'normal', onHealth: () => {} })
  await Promise.all(
    Array.from({ length: 1_300 }, async (_, n) => {
      const at = Date.now() - (n % 4 < 2 ? 2 * HOUR : 1_000)
      const route = n % 2 === 0 ? 'a' : 'b'
      await state.ledger.deadLetter({ ...letter, at, route, clink: { ...clink, clink_id: `msg_${n}` } })
    }),
  )
  state.close()
  return site
}

const listed = async (site: Site, ...args: string[]): Promise<number> =>
  JSON.parse((await failed(site, 'list', '--json', ...args)).stdout).length

test('what matches a route and a time is acted on, all of it, and the last line says how many that were', async () => {
  await using site = await siteWithLetters()
  expect(await listed(site, '--route', 'a', '--since', '1h')).toBe(325)
  expect(await failed(site, 'discard', '--route', 'a', '--since', '1h', '--note', 'not wanted')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/\n325 dead letters discarded\n$/),
  })
  expect(await failed(site, 'discard', '--route', 'a', '--since', '1h')).toMatchObject({
    stdout: 'no dead letters match --route a --since 1h, of 975 in all\n',
  })
  {
    await using worker = site.run()
    await worker.said(/worker\.ready/)
    const since = new Date(Date.now() - HOUR).toISOString()
    expect((await failed(site, 'retry', '--since', since)).stdout).toMatch(/\n325 dead letters to be run again\n$/)
    expect((await failed(site, 'retry', '--all')).stdout).toMatch(/\n650 dead letters to be run again\n$/)
    expect(await listed(site)).toBe(0)
  }
  await using audit = site.cli(['status', '--audit', '--json'])
  const acts: readonly { readonly act: string; readonly about: string; readonly note?: string }[] = JSON.parse(
    (await audit.ended).stdout,
  )
  expect(acts.map(({ act, about, note }) => [act, about, note])).toEqual([
    ['discard', '325 dead letters (--route a --since 1h)', 'not wanted'],
    ['retry', expect.stringMatching(/^325 dead letters \(--since 20/), undefined],
    // 500 in one commit.
    ['retry', '500 dead letters (--all)', undefined],
    ['retry', '150 dead letters (--all)', undefined],
  ])
})

test('a time that is none is refused', async () => {
  await using site = await siteWithLetters()
  expect(await failed(site, 'retry', '--since', 'yesterday')).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('--since: "yesterday" is no time'),
  })
})
