import { expect, test } from 'vitest'
import { operationNames } from '../../src/clink/contract.ts'
import { clinkWorker } from '../support/cli.ts'
import { Site } from '../support/site.ts'

test('send sends to a group by its slug, and to a member', async () => {
  await using site = await Site.start()
  await using all = site.cli(['send', 'ops', 'hello all'], { key: 'alice' })
  const { code, stdout, stderr } = await all.ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const [, id = ''] = /^sent (\S+) to ops\n$/.exec(stdout) ?? []
  expect(site.emulator.clink(id)).toMatchObject({ content: 'hello all' })

  await using one = site.cli(['send', 'ops', '-', '--for', 'ap_worker', '--json'], {
    key: 'alice',
    input: 'from a pipe\n',
  })
  const sent = JSON.parse((await one.ended).stdout)
  expect(sent).toMatchObject({ content: 'from a pipe', for: 'ap_worker' })
})

test.each([
  [['send', 'nowhere', 'x'], 1, /there is no group with the slug "nowhere"; "clink-worker api list_groups" shows/],
  [['send', 'ops', 'x', '--for', 'ap_nobody'], 1, /send_clink/],
  [['send', 'ops', ''], 64, /the text is empty/],
])('%j: what the service says is one line, exit %i', async (args, code, line) => {
  await using site = await Site.start()
  await using cli = site.cli(args, { key: 'alice' })
  const ended = await cli.ended
  expect(ended).toMatchObject({ code, stdout: '' })
  expect(ended.stderr).toMatch(line)
  expect(ended.stderr.trimEnd().split('\n')).toHaveLength(1)
})

test('inbox shows what waits, claims nothing, and cannot be made to move the cursor', async () => {
  await using site = await Site.start()
  const { clink_id: id } = site.emulator.send('ops', `a\u001B[2J ${'long '.repeat(40)}`, { from: 'bob' })
  await using cli = site.cli(['inbox'])
  const { code, stdout } = await cli.ended
  expect(code).toBe(0)
  expect(stdout).toMatch(new RegExp(`^${id}  ops  bob  \\S+  a\\\\u001b\\[2J long .*…\\n$`))
  expect(site.emulator.clink(id)).toMatchObject({ status: 'pending' })

  await using json = site.cli(['inbox', '--json', '--limit', '1'])
  expect(JSON.parse((await json.ended).stdout)).toMatchObject({ clinks: [{ clink_id: id }] })
  await using none = site.cli(['inbox', '--status', 'completed'])
  expect(await none.ended).toMatchObject({ code: 0, stdout: 'no completed clinks\n' })
})

test('a refused key is 77, a service that is away is 69', async () => {
  await using site = await Site.start()
  await using refused = site.cli(['inbox'], { key: 'suspended' })
  expect(await refused.ended).toMatchObject({ code: 77, stdout: '' })
  site.emulator.disconnect()
  await using away = site.cli(['inbox'])
  expect(await away.ended).toMatchObject({ code: 69, stdout: '' })
})

test('api knows every operation and prints JSON', async () => {
  const { stdout } = await clinkWorker(['api', '--help'])
  for (const name of operationNames) expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'))

  await using site = await Site.start()
  await using groups = site.cli(['api', 'list_groups'])
  const listed = JSON.parse((await groups.ended).stdout)
  expect(listed).toMatchObject({ groups: [{ slug: 'ops' }] })
  await using slug = site.cli(['api', 'resolve_group', 'slug=ops'])
  expect(JSON.parse((await slug.ended).stdout)).toBe(listed.groups[0].group_id)
})

test('api reads each value as its row says', async () => {
  await using site = await Site.start()
  const [group] = site.emulator.clinks().length === 0 ? [site.emulator.send('ops', 'x').group_id] : []
  const checkpoints = '[{"title":"a=b"},{"title":"two","depends_on":[1]}]'
  await using made = site.cli(
    ['api', 'create_milestone', `group_id=${group}`, 'title=Release = now', `checkpoints=${checkpoints}`],
    { key: 'alice' },
  )
  const { stdout, stderr, code } = await made.ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(JSON.parse(stdout)).toMatchObject({
    title: 'Release = now',
    checkpoints: [{ title: 'a=b' }, { depends_on: [1] }],
  })
  await using inbox = site.cli(['api', 'check_inbox', 'for_me=false', 'limit=1', 'claim=false'])
  expect(JSON.parse((await inbox.ended).stdout)).toMatchObject({ count: 1 })
  await using read = site.cli(['api', 'mark_read', `group_ids=${group}`])
  expect(await read.ended).toMatchObject({ code: 0 })
})

test('api says everything that is wrong with its parameters before it asks the service', async () => {
  await using site = await Site.start()
  await using cli = site.cli(['api', 'get_clinks', 'limit=many', 'status=pendin', 'group=x', 'limit=1', 'for_me'])
  const { code, stderr } = await cli.ended
  expect(code).toBe(64)
  expect(stderr).toBe(
    [
      'get_clinks: limit: "many" is not a whole number',
      'get_clinks: status: "pendin" is none of pending, claimed, completed',
      'get_clinks: there is no parameter "group"; it takes group_id, since, limit, status, for_me, unread_only, mark_read',
      'get_clinks: limit is given twice',
      'get_clinks: for_me has no value: write for_me=…',
    ]
      .map((line) => `clink-worker: ${line}\n`)
      .join(''),
  )
  expect(site.emulator.requests()).toEqual([])
})
