import { createConnection, type Socket } from 'node:net'
import { z } from 'zod'
import { asError, CodedError, errorCodes, type ErrorCode } from '../base/coded-error.ts'
import { requests, type AnswerOf, type ParamsOf, type RequestName } from './requests.ts'
import { controlPath } from './server.ts'

/** A way to ask the worker of a state directory, or what it has left. */
export interface Link {
  /** @throws {CodedError} what is said against it; STATE_BUSY when the worker went away. */
  ask<Name extends RequestName>(name: Name, params: ParamsOf<Name>): Promise<AnswerOf<Name>>
  /** Resolves when the worker is gone. */
  readonly closed: Promise<unknown>
  close(): void | Promise<void>
}

const reply = z.union([
  z.object({ answer: z.unknown() }),
  z.object({ error: z.string(), code: z.string().exactOptional() }),
])

/** @returns an error where no worker listens. */
export async function linkToWorker(directory: string): Promise<Link | Error> {
  const path = controlPath(directory)
  const socket = await new Promise<Socket | Error>((resolve) => {
    const socket = createConnection(path)
    socket.once('error', resolve).once('connect', () => resolve(socket))
  })
  return socket instanceof Error ? socket : socketLink(socket)
}

function socketLink(socket: Socket): Link {
  // The end of the lines says that it is gone.
  socket.on('error', () => {})
  const closed = new Promise<undefined>((resolve) => socket.on('close', () => resolve(undefined)))
  const waiting: ((line: string) => void)[] = []
  let begun: string[] = []
  // `node:readline` would end a line also where a text has U+2028.
  socket.setEncoding('utf8').on('data', (text: string) => {
    const [first = '', ...others] = text.split('\n')
    begun.push(first)
    for (const next of others) {
      waiting.shift()?.(begun.join(''))
      begun = [next]
    }
  })
  return {
    ask: async (name, params) => {
      // What is asked in one turn is sent at once. A worker that the first of it ends may be gone before a second write, and where that fails, the answer that
      // waits to be read is lost.
      socket.cork()
      process.nextTick(() => socket.uncork())
      socket.write(`${JSON.stringify({ request: name, ...params })}\n`)
      const line = await Promise.race([new Promise<string>((resolve) => waiting.push(resolve)), closed])
      if (line === undefined) throw new CodedError('STATE_BUSY', 'the worker went away before it answered; try again')
      return answerOf(name, line)
    },
    closed,
    close: (): void => void socket.destroy(),
  }
}

function answerOf<Name extends RequestName>(name: Name, line: string): AnswerOf<Name> {
  try {
    const read = reply.parse(JSON.parse(line))
    if ('answer' in read) return requests[name].answer.parse(read.answer)
    const code = Object.keys(errorCodes).find((known): known is ErrorCode => known === read.code) ?? 'INTERNAL'
    throw new CodedError(code, read.error)
  } catch (error) {
    if (error instanceof CodedError) throw error
    throw new CodedError('INTERNAL', `the worker's answer cannot be read: ${asError(error).message}`)
  }
}
