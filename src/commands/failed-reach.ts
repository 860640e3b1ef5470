import { existsSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { sleep, systemClock, type Clock } from '../base/clock.ts'
import { asError, CodedError, errorCodes, type ErrorCode } from '../base/coded-error.ts'
import { controlPath } from '../host/control-socket.ts'
import { rows } from '../journal/rows.ts'
import { openState, type StateOptions } from '../journal/state.ts'
import type { LateResult } from '../worker/late-results.ts'
import type { DeadLetter, LetterChange } from '../worker/ledger.ts'
import { answerFailed, type FailedRequest } from './failed-requests.ts'

export type StatePlace = Pick<StateOptions, 'directory' | 'sync'>

/** The dead letters and late results of one state directory. */
export interface FailedLetters {
  letters(): Promise<readonly DeadLetter[]>
  late(): Promise<readonly LateResult[]>
  change(what: 'retry' | 'discard', id: string): Promise<LetterChange>
  close(): void
}

interface Link {
  ask(request: FailedRequest): Promise<unknown>
  close(): void
}

/** How long a worker may take to start, or another command to be done, in milliseconds. */
const PATIENCE = 5_000
const PAUSE = 100

const reply = z.union([
  z.object({ answer: z.unknown() }),
  z.object({ error: z.string(), code: z.string().exactOptional() }),
])
const lettersAnswer = z.array(rows.letters)
const lateAnswer = z.array(rows.late)
const changeAnswer = z.enum(['done', 'unknown', 'told'])

/**
 * Takes the directory where no worker holds it, and speaks to the worker that does otherwise.
 *
 * @throws {CodedError} STATE_UNUSABLE when there is nothing; STATE_BUSY when whoever holds it does not answer.
 */
export async function reachLetters(state: StatePlace, clock: Clock = systemClock()): Promise<FailedLetters> {
  const link = await reach(state, clock)
  return {
    letters: async () => lettersAnswer.parse(await link.ask({ request: 'failed.letters' })),
    late: async () => lateAnswer.parse(await link.ask({ request: 'failed.late' })),
    change: async (what, id) => changeAnswer.parse(await link.ask({ request: `failed.${what}`, id })),
    close: () => link.close(),
  }
}

async function reach(state: StatePlace, clock: Clock): Promise<Link> {
  const { directory } = state
  // Opening would make the directory, and an empty list would hide that its name is wrong.
  if (!existsSync(join(directory, 'journal.db'))) {
    throw new CodedError('STATE_UNUSABLE', `state.directory: ${directory} holds nothing: no worker has run with it`)
  }
  const end = clock.now() + PATIENCE
  for (;;) {
    try {
      return openLink(state)
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== 'STATE_BUSY') throw error
      const socket = await connect(controlPath(directory))
      if (!(socket instanceof Error)) return socketLink(socket)
      // It may be about to listen, or to leave.
      if (clock.now() >= end)
        throw new CodedError('STATE_BUSY', `${error.message}; it does not answer: ${socket.message}`)
      await sleep(clock, PAUSE)
    }
  }
}

function openLink(state: StatePlace): Link {
  const opened = openState({ ...state, visit: true, onHealth: () => {} })
  const letters = { ledger: opened.ledger, retried: (): void => {} }
  return { ask: async (request) => await answerFailed(request, letters), close: () => opened.close() }
}

async function connect(path: string): Promise<Socket | Error> {
  return await new Promise((resolve) => {
    const socket = createConnection(path)
    socket.once('error', resolve).once('connect', () => resolve(socket))
  })
}

function socketLink(socket: Socket): Link {
  // The end of the lines says that it is gone.
  socket.on('error', () => {})
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]()
  return {
    ask: async (request) => {
      socket.write(`${JSON.stringify(request)}\n`)
      const line = await lines.next()
      if (line.done === true) throw new CodedError('STATE_BUSY', 'the worker went away before it answered; try again')
      return answerOf(line.value)
    },
    close: () => socket.destroy(),
  }
}

function answerOf(line: string): unknown {
  try {
    const read = reply.parse(JSON.parse(line))
    if ('answer' in read) return read.answer
    const code = Object.keys(errorCodes).find((known): known is ErrorCode => known === read.code) ?? 'INTERNAL'
    throw new CodedError(code, read.error)
  } catch (error) {
    if (error instanceof CodedError) throw error
    throw new CodedError('INTERNAL', `the worker's answer cannot be read: ${asError(error).message}`)
  }
}
