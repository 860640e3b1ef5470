import { createServer, type AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { clinkWorker } from '../../support/cli.ts'
import { TempDir } from '../../support/temp-dir.ts'

test('status --fleet waits for the shared store as long as was asked for', async () => {
  using dir = new TempDir()
  // It lets callers in, and says nothing.
  const server = createServer((socket) => socket.on('error', () => {}))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  const { port } = server.address() as AddressInfo
  const env = { CLINK_STATE_URL: `postgres://worker:secret@127.0.0.1:${port}/clink` }
  const { code, stderr, stdout } = await clinkWorker(['status', '--fleet', '--timeout', '300ms'], {
    cwd: dir.path,
    env,
  })
  server.close()
  expect({ code, stdout }).toEqual({ code: 76, stdout: '' })
  expect(stderr).toMatch(/^clink-worker: no answer for 300ms: the shared store\n$/)
})
