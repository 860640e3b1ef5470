import { describe, expect, it } from 'vitest'
import { errorFact } from '../../src/base/error-fact.ts'
import type { WorkerEvent } from '../../src/events.ts'
import { makeControl } from '../../src/handlers/handler.ts'
import { logEvents } from '../../src/observe/events.ts'
import { createLogger } from '../../src/observe/log.ts'
import { applicationOutcome } from '../../src/runners/application-outcome.ts'
import { toldOf, unavailable, type Outcome } from '../../src/runners/outcome.ts'
import { programOutcome, type ProgramEnd } from '../../src/runners/program-outcome.ts'
import { readOutcome } from '../../src/runners/read-outcome.ts'
import { clink } from '../support/handler-files.ts'

const SAID = 'the harbour gate code is 4711'

const threw = (error: unknown): Outcome => readOutcome({ ended: 'threw', error }, [])
const returned = (value: unknown): Outcome => readOutcome({ ended: 'returned', value }, [])
const unreadable = {
  get response() {
    throw new Error(SAID)
  },
}

function program(change: Partial<ProgramEnd>): Outcome {
  const output = { text: '', isCut: false, total: 0 }
  const quiet = { code: 0, signal: null, output, lastWord: undefined, abortedBy: undefined, asleep: undefined }
  return programOutcome({ ...quiet, ...change }, 'json')
}

const writes = (text: string): Outcome => program({ output: { text, isCut: false, total: text.length } })
const answers = (status: number, text = SAID, headers = {}): Outcome =>
  applicationOutcome({ status, text, headers }, 'http://127.0.0.1:1/', 0)
const header = (asked: string): Outcome => answers(200, SAID, { 'clink-outcome': asked })

/** How it ended, its reason, and what was said, which quotes the clink. */
const ROWS: readonly (readonly [string, Outcome, string, string | undefined])[] = [
  ['inline: throws', threw(new Error(SAID)), 'the handler threw an error', SAID],
  ['inline: returns an error', returned(new Error(SAID)), 'the handler returned an error', SAID],
  ['inline: cannot be read', returned(unreadable), 'what the handler returned cannot be read', SAID],
  ['inline: rejects', returned(makeControl({ kind: 'reject', reason: SAID })), 'rejected by the handler', SAID],
  ['inline: rejects without a word', returned(makeControl({ kind: 'reject' })), 'rejected by the handler', undefined],
  ['inline: releases', returned(makeControl({ kind: 'release', reason: SAID })), 'the handler gave it back', SAID],
  [
    'inline: waits',
    returned(makeControl({ kind: 'retry', after: 1, reason: SAID })),
    'the handler asked to wait',
    SAID,
  ],
  [
    'thread: cannot load it',
    unavailable('the handler cannot be loaded in a thread', SAID),
    'the handler cannot be loaded in a thread',
    SAID,
  ],
  ['exec: fails', program({ code: 3, lastWord: SAID }), 'the program ended with exit code 3', SAID],
  [
    'exec: fails without a word',
    program({ code: 3 }),
    'the program ended with exit code 3, and wrote nothing to standard error',
    undefined,
  ],
  [
    'exec: is killed',
    program({ code: null, signal: 'SIGSEGV', lastWord: SAID }),
    'the program was killed by SIGSEGV',
    SAID,
  ],
  [
    'exec: is aborted',
    program({ code: null, signal: 'SIGTERM', abortedBy: 'timeout', lastWord: SAID }),
    'timeout',
    SAID,
  ],
  ['exec: rejects', program({ code: 65, lastWord: SAID }), 'the program rejected it (exit code 65)', SAID],
  ['exec: rejects without a word', program({ code: 65 }), 'the program rejected it (exit code 65)', undefined],
  ['exec: releases', program({ code: 69, lastWord: SAID }), 'the program gave it back (exit code 69)', SAID],
  ['exec: waits', program({ code: 75, lastWord: SAID }), 'the program asked to be run again (exit code 75)', SAID],
  [
    'exec: writes that it has failed',
    writes(JSON.stringify({ outcome: 'failed', reason: SAID })),
    'the program says that it has failed',
    SAID,
  ],
  [
    'exec: writes that it rejects',
    writes(JSON.stringify({ outcome: 'reject', reason: SAID })),
    'the program rejected it',
    SAID,
  ],
  [
    'exec: writes what is no outcome',
    writes(JSON.stringify({ [SAID]: 1 })),
    'with exec.output: json a program writes one JSON object to standard output, as {"outcome":"done","response":"…"}; this one wrote an object of 35 bytes with other fields or values: it may have outcome (done, release, retry, reject, failed), response, reason and after',
    expect.stringContaining(SAID),
  ],
  ['http: 500', answers(500), 'the application answers 500 Internal Server Error', SAID],
  ['http: 500 without a body', answers(500, ''), 'the application answers 500 Internal Server Error', undefined],
  ['http: 503', answers(503), 'the application answers 503 Service Unavailable', SAID],
  ['http: 404', answers(404), 'http://127.0.0.1:1/ answers 404 Not Found', SAID],
  ['http: rejects', header('reject'), 'the application answers 200 OK, Clink-Outcome: reject', SAID],
  ['http: releases', header('release'), 'the application answers 200 OK, Clink-Outcome: release', SAID],
  [
    'http: asks for what there is not',
    header(SAID),
    "the application's header Clink-Outcome is not done, release, retry or reject",
    JSON.stringify(SAID),
  ],
  ['a runner without words of its own', { outcome: 'failed', error: errorFact(SAID) }, 'the handler failed', SAID],
]

describe('the words of the worker and those of what it ran are apart', () => {
  it.each(ROWS)('%s', (_, outcome, reason, said) => {
    const { error: _error, ...told } = toldOf(outcome)
    expect(told).toEqual(said === undefined ? { reason } : { reason, said })
  })

  it.each(ROWS)(
    '%s: with log.content: false the line has the first, and none of the others that quote the clink',
    (_, outcome, reason) => {
      const [ended, paused] = linesOf(toldOf(outcome))
      expect([ended?.['reason'], paused?.['reason']]).toEqual([reason, reason])
      expect(JSON.stringify([ended, paused])).not.toMatch(/harbour|gate code|4711/)
    },
  )

  it('what is told of an outcome that was done is nothing', () => {
    expect(toldOf({ outcome: 'done', response: SAID })).toEqual({})
  })
})

it('the words of the worker are shown although they are like the clink', () => {
  const content = 'the program ended with exit code 3'
  const told = toldOf(program({ code: 3, lastWord: 'no disk' }))
  expect(linesOf(told, content)[0]).toMatchObject({ reason: content, said: 'no disk' })
})

function linesOf(told: ReturnType<typeof toldOf>, content = SAID): readonly Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = []
  const logger = createLogger(
    { level: 'info', format: 'json', content: false },
    { destination: { write: (text) => void lines.push(JSON.parse(text)) }, terminal: false, color: false, secrets: [] },
  )
  const listen = logEvents(logger, { content: false })
  const facts = { clink: clink({ content }), route: 'work', attempt: 1 } as const
  const { reason = '', error = new Error(reason), ...said } = told
  const paused: WorkerEvent = {
    event: 'route.paused',
    route: 'work',
    failures: 1,
    clinks: 1,
    reason,
    ...said,
    error,
    advice: '',
  }
  listen({ event: 'clink.started', ...facts, waited: 0 })
  listen({ event: 'clink.ended', ...facts, outcome: 'failed', ...told, duration: 1 })
  listen(paused)
  return lines
}
