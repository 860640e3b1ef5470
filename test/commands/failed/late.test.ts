import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Clink } from '../../../src/clink/records.ts'
import { openState } from '../../../src/journal/state.ts'
import type { LateResult } from '../../../src/ledger/late-results.ts'
import type { Ended } from '../../support/cli.ts'
import { handler, Site } from '../../support/site.ts'

const clink: Clink = {
  clink_id: 'msg_late',
  group_id: '11111111-1111-4111-8111-111111111111',
  group_slug: 'ops',
  sender_id: 'user_bob',
  sender_name: 'Bob',
  content: 'the secret question',
  created_at: '2026-01-05T08:00:00.000Z',
  status: 'claimed',
}
const late: LateResult = {
  clink,
  route: 'work',
  attempt: 2,
  why: 'late',
  outcome: 'done',
  response: 'the secret answer\n\u001B[31mred',
  at: Date.now(),
}
const rejected: LateResult = {
  clink: { ...clink, clink_id: 'msg_other', group_slug: 'dev' },
  route: 'work',
  attempt: 1,
  why: 'elsewhere',
  outcome: 'reject',
  reason: 'not possible',
  at: Date.now(),
}

/** A site whose state directory remembers two late results. */
async function siteWithResults(): Promise<Site> {
  const site = await Site.start({ 'handlers/h.js': handler(`return 'done'`) })
  const state = openState({ directory: join(site.dir.path, 'state'), sync: 'normal', onHealth: () => {} })
  await state.ledger.late.keep(late)
  await state.ledger.late.keep(rejected)
  state.close()
  return site
}

async function failed(site: Site, ...args: string[]): Promise<Ended> {
  return await site.say('failed', ...args)
}

test('late results are listed without contents, and shown with them (§5)', async () => {
  await using site = await siteWithResults()
  const list = await failed(site, 'list', '--late')
  expect(list).toMatchObject({ code: 0, stderr: '' })
  expect(list.stdout).toMatch(/^ID +GROUP +ROUTE +ATTEMPT +AGE +OUTCOME +WHY\n/)
  expect(list.stdout).toMatch(/^msg_late +ops +work +2 +\S+ +done +its claim had ended$/m)
  expect(list.stdout).toMatch(
    /^msg_other +dev +work +1 +\S+ +reject +Clink refused it: somebody else had settled the clink, or the group was left$/m,
  )
  const json = await failed(site, 'list', '--late', '--json', '--group', 'ops')
  expect(JSON.parse(json.stdout)).toMatchObject([{ clink_id: 'msg_late', attempt: 2, outcome: 'done', why: 'late' }])
  expect(list.stdout + json.stdout).not.toContain('secret')
  expect(await failed(site, 'list', '--late', '--error', 'Not Possible', '--json')).toMatchObject({
    stdout: expect.stringMatching(/^\[\{"clink_id":"msg_other"[^\]]*\]\n$/),
  })

  const show = await failed(site, 'show', 'msg_late')
  expect(show).toMatchObject({ code: 0, stderr: '' })
  expect(show.stdout).toMatch(/^late result: done by work, attempt 2, at \S+; its claim had ended$/m)
  expect(show.stdout).toContain('\n  the secret answer\n  \\u001b[31mred\ncontent\n  the secret question\n')
  const whole = JSON.parse((await failed(site, 'show', 'msg_late', '--json')).stdout)
  expect(whole).toMatchObject({ clink, late: [{ why: 'late', response: late.response }] })
})

test('late results are no dead letters: they are in no other list, and nothing is retried (§5)', async () => {
  await using site = await siteWithResults()
  expect(await failed(site, 'list')).toMatchObject({ code: 0, stdout: 'no dead letters\n' })
  expect(await failed(site, 'retry', 'msg_late')).toMatchObject({ code: 1 })
})

test('late results are shown while the worker runs (§5)', async () => {
  await using site = await siteWithResults()
  await using worker = site.run()
  await worker.said(/worker\.ready/)
  expect((await failed(site, 'list', '--late')).stdout).toContain('msg_late')
  expect((await failed(site, 'show', 'msg_other')).stdout).toContain('\n  not possible\n')
  worker.kill('SIGTERM')
  expect(await worker.ended).toMatchObject({ code: 0 })
})
