import { expect, test } from 'vitest'
import { Cli, clinkWorker } from '../../support/cli.ts'

test('emulate says where it is and with which keys, serves, and ends with 0', async () => {
  await using emulator = new Cli(['emulate', '--switch', 'defaultTimeout=7'])
  const [, CLINK_API_URL = '', CLINK_API_KEY = ''] = await emulator.said(
    /export CLINK_API_URL=(\S+) CLINK_API_KEY=(\S+)/,
  )
  const env = { CLINK_API_URL, CLINK_API_KEY }
  expect(await clinkWorker(['api', 'list_groups'], { env })).toMatchObject({ code: 0, stderr: '' })
  expect(emulator.stdout).toMatch(/^  alice +sk_live_u_\w+$/m)
  emulator.kill('SIGTERM')
  expect(await emulator.ended).toMatchObject({ code: 0, stderr: '' })
})

test('emulate --json prints one line of JSON', async () => {
  await using emulator = new Cli(['emulate', '--json'])
  const [line] = await emulator.said(/^.*\n/)
  expect(JSON.parse(line)).toMatchObject({ url: expect.stringMatching(/^http:/), keys: { worker: expect.any(String) } })
  emulator.kill('SIGINT')
  expect(await emulator.ended).toMatchObject({ code: 0, stdout: line })
})

test('a switch that is not known and a port that is taken are one clear line', async () => {
  expect(await clinkWorker(['emulate', '--switch', 'reclam=renew'])).toMatchObject({
    code: 64,
    stderr: expect.stringMatching(/^clink-worker: .*reclam.*reclaim.*\n$/),
  })
  await using first = new Cli(['emulate', '--json'])
  const [, port = ''] = await first.said(/"url":"http:\/\/127\.0\.0\.1:(\d+)/)
  expect(await clinkWorker(['emulate', '--port', port])).toMatchObject({
    code: 69,
    stderr: expect.stringMatching(new RegExp(`^clink-worker: .*${port}.*\\n$`)),
  })
})
