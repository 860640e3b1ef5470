import { createServer, Socket } from 'node:net'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { linkToWorker } from '../../src/control/client.ts'
import { TempDir } from '../support/temp-dir.ts'

test('what is asked in one turn reaches a worker at once: it may end with its answer to the first', async () => {
  using directory = new TempDir()
  const chunks: string[] = []
  const server = createServer((socket) => {
    socket.setEncoding('utf8').on('data', (text: string) => {
      chunks.push(text)
      socket.end('{"answer":{}}\n')
    })
  })
  await new Promise<void>((resolve) => server.listen(join(directory.path, 'control.sock'), resolve))
  const link = await linkToWorker(directory.path)
  if (link instanceof Error) throw link
  const writes = vi.spyOn(Socket.prototype, '_writev')
  const asked = [link.ask('stop', { by: 'ann' }), link.ask('stopped', {})]
  expect(await Promise.allSettled(asked)).toMatchObject([
    { status: 'fulfilled' },
    { status: 'rejected', reason: { code: 'STATE_BUSY' } },
  ])
  expect(chunks).toEqual(['{"request":"stop","by":"ann"}\n{"request":"stopped"}\n'])
  expect(writes).toHaveBeenCalledTimes(1)
  writes.mockRestore()
  await link.close()
  await new Promise((resolve) => server.close(resolve))
})
