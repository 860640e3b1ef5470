import { expect, test } from 'vitest'
import { handler, Site } from './site.ts'

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
  expect(stdout).toMatch(new RegExp(`^${one.clink_id}  ops  alice  \\S+  → deploy +deploy staging$`, 'm'))
  expect(stdout).toMatch(
    new RegExp(`^${two.clink_id}  ops  bob +\\S+  → no route: left alone  hello\\\\u001b\\[2J$`, 'm'),
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
