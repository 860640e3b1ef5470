import { once } from 'node:events'
import { createConnection } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { controlPath, ControlSocket } from '../../src/control/server.ts'
import { TempDir } from '../support/temp-dir.ts'

/** What a caller is told that sends this and then ends its side, as `nc -N` does. `answer` gets each request. */
async function told(sent: string, answer: (request: unknown) => Promise<unknown>): Promise<string[]> {
  using directory = new TempDir()
  const socket = new ControlSocket({ directory: directory.path, answer })
  await socket.start()
  const caller = createConnection({ path: controlPath(directory.path), allowHalfOpen: true })
  await once(caller, 'connect')
  caller.end(sent)
  const answers = await text(caller)
  await socket.stop()
  return answers.split('\n').filter((line) => line !== '')
}

/** Answers after some turns of the loop, when the end of the caller's side was seen. */
async function later(request: unknown): Promise<unknown> {
  for (let turns = 0; turns < 20; turns += 1) await new Promise((resolve) => setImmediate(resolve))
  return request
}

it.each([
  ['ends its side after its requests', '1\n2\n', ['{"answer":1}', '{"answer":2}']],
  ['does so in the middle of a line', '1\n2', ['{"answer":1}', '{"answer":2}']],
  ['has asked for nothing', '', []],
])('a caller that %s is answered', async (_, sent, answers) => {
  expect(await told(sent, later)).toEqual(answers)
})

it('what was asked before a line that is too long is answered first', async () => {
  const answers = await told(`1\n2\n${'x'.repeat(1_100_000)}\n3\n`, later)

  expect(answers).toEqual(['{"answer":1}', '{"answer":2}', '{"error":"a request has at most 1000000 characters"}'])
})
