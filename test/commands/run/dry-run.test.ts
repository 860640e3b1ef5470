import { expect, test } from 'vitest'
import { handler, Site } from '../../support/site.ts'

const files = {
  'handlers/deploy.js': `export default { match: { content: /^deploy/ }, handle: () => {} }`,
  'handlers/support.js': `export default { match: { group: 'support' }, handle: () => {} }`,
}

test('--dry-run lists what waits with its route, and claims nothing', async () => {
  await using site = await Site.start(files)
  const one = site.emulator.send('ops', 'deploy staging', { from: 'alice' })
  const two = site.emulator.send('ops', 'hello\u001B[2J', { from: 'bob' })
  await using worker = site.cli(['run', '--dry-run'])
  const { code, stdout, stderr } = await worker.ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(
    new RegExp(`^${one.clink_id}  ops  alice  \\S+  → deploy \\(content /\\^deploy/\\) +deploy staging$`, 'm'),
  )
  expect(stdout).toMatch(
    new RegExp(`^${two.clink_id}  ops  bob +\\S+  → no route: left alone +hello\\\\u001b\\[2J$`, 'm'),
  )
  expect(site.emulator.clinks().map(({ status }) => status)).toEqual(['pending', 'pending'])
  expect(site.emulator.requests().every(({ method }) => method === 'GET')).toBe(true)
})

test('--dry-run --json writes JSON and nothing else', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler('') })
  const { clink_id: id } = site.emulator.send('ops', 'hello')
  await using worker = site.cli(['run', '--dry-run', '--json'])
  const { stdout } = await worker.ended
  expect(JSON.parse(stdout)).toMatchObject({ pending: [{ clink: { clink_id: id }, route: 'h' }], malformed: [] })
})

test('an empty inbox is said', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler('') })
  await using worker = site.cli(['run', '--dry-run'])
  expect(await worker.ended).toMatchObject({ code: 0, stdout: 'nothing is pending\n' })
})

test('--dry-run says what it would leave alone and why, and routes by texts without what workers tell each other', async () => {
  await using site = await Site.start({
    ...files,
    'clink-worker.yaml': 'clink: { identity: ap_worker }\ninbox: { ignore: [bob] }',
  })
  const send = (text: string, from = 'helper') => site.emulator.send('ops', text, { from })
  send('deploy it\n— clink-worker · hop 8')
  send('deploy it\nanother mark · hop 2')
  send('deployed half of it\nanother mark · note')
  send('deploy it\n— clink-worker · hop 1', 'worker')
  send('deploy for bob', 'bob')
  await using worker = site.cli(['run', '--dry-run'])
  const { stdout, stderr } = await worker.ended
  expect(stdout.split('\n').map((line) => /→ (.*?)  /.exec(line)?.[1])).toEqual([
    'inbox.maxHops is reached: left alone',
    'deploy (content /^deploy/)',
    'a note of a worker: left alone',
    'our own reply: left alone',
    'deploy (content /^deploy/)',
    undefined,
  ])
  expect(stderr).toContain('inbox.ignore looks at ids only: write { name: "bob" }')
})
