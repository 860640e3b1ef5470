import { sleep, systemClock } from '../../base/clock.ts'
import { asError, CodedError, EXIT } from '../../base/coded-error.ts'
import { linkToWorker } from '../../control/client.ts'
import { noStatus, type NoStatus, type Status } from '../../control/status.ts'
import { stateOf, type StateSettings } from '../terminal/connect.ts'
import type { Io } from '../terminal/io.ts'
import { reachState } from '../terminal/reach-state.ts'
import { whyUnreached } from '../terminal/reach-worker.ts'
import { positiveDuration } from '../terminal/settings.ts'
import { auditText } from './audit-text.ts'
import { timeoutOf } from './timeout.ts'
import { statusText } from './status-text.ts'

export interface StatusOptions extends StateSettings {
  readonly watch?: true
  readonly audit?: true
  readonly fleet?: true
  readonly json?: true
  readonly timeout?: string
}

/** How long the worker may take to answer where nobody said that. */
const TIMEOUT = '5s'

/** Milliseconds between two looks. */
const EVERY = 1_000
/** To the upper left corner, and nothing below: the lines before stay in the terminal's memory. */
const CLEAR = '\u001b[H\u001b[J'

export async function showStatus(options: StatusOptions, io: Io): Promise<void> {
  const { timeout = TIMEOUT } = options
  const limit = positiveDuration('--timeout', timeout, TIMEOUT)
  const { directory } = await stateOf(options, io)
  const isDrawn = options.watch === true && io.terminal && options.json !== true
  for (;;) {
    const status = await Promise.race([ask(directory), noAnswer(limit, timeout)])
    const text = options.json === true ? `${JSON.stringify(status)}\n` : statusText(status, io)
    io.out(isDrawn ? `${CLEAR}${text}` : text)
    io.finish(status.worker === null ? EXIT.failed : EXIT.ok)
    if (options.watch !== true) return
    await sleep(systemClock(), EVERY)
    if (!isDrawn && options.json !== true) io.out('\n')
  }
}

/** What operators did, oldest first. */
export async function showAudit(options: StatusOptions, io: Io): Promise<void> {
  if (options.watch === true) throw new CodedError('USAGE', '--audit or --watch, not both')
  const link = await reachState(await stateOf(options, io))
  try {
    const acts = await link.ask('audit', {}, timeoutOf(options))
    const told = acts.map(({ at, ...act }) => ({ at: new Date(at).toISOString(), ...act }))
    io.out(options.json === true ? `${JSON.stringify(told)}\n` : auditText(told, io))
  } finally {
    await link.close()
  }
}

async function ask(directory: string): Promise<Status | NoStatus> {
  const link = await linkToWorker(directory)
  if (link instanceof Error) return noStatus(whyUnreached(directory, link))
  try {
    return await link.ask('status', {})
  } catch (error) {
    return noStatus(asError(error).message)
  } finally {
    await link.close()
  }
}

async function noAnswer(timeout: number, text: string): Promise<NoStatus> {
  await sleep(systemClock(), timeout)
  return noStatus(`no answer within ${text}: code that does not let go keeps the worker from everything`, {
    why: 'whoever watches it ends it; where nobody does, end its process, which this names',
    command: 'clink-worker state info',
  })
}
