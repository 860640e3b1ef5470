import { sleep, systemClock } from '../../base/clock.ts'
import { asError, EXIT } from '../../base/coded-error.ts'
import { printable } from '../../observe/printable.ts'
import { stateOf, type StateSettings } from '../terminal/connect.ts'
import { linkToWorker } from '../../control/client.ts'
import type { Health } from '../../control/health.ts'
import type { Io } from '../terminal/io.ts'
import { whyUnreached } from '../terminal/reach-worker.ts'
import { positiveDuration } from '../terminal/settings.ts'

export interface HealthOptions extends StateSettings {
  readonly timeout: string
  readonly json?: true
}

const WORD = { live: 'alive', ready: 'ready' } as const

/** Says whether the worker that runs is alive or ready. Not being answered in time is an answer too. */
export async function askHealth(what: 'live' | 'ready', options: HealthOptions, io: Io): Promise<void> {
  const timeout = positiveDuration('--timeout', options.timeout, '5s')
  const { directory } = await stateOf(options, io)
  const { ok, reasons } = await Promise.race([ask(what, directory), noAnswer(timeout, options.timeout)])
  if (options.json === true) io.out(`${JSON.stringify({ [WORD[what]]: ok, reasons })}\n`)
  else io.out([ok ? WORD[what] : `not ${WORD[what]}`, ...reasons].map((line) => `${printable(line)}\n`).join(''))
  io.finish(ok ? EXIT.ok : EXIT.failed)
}

async function ask(what: 'live' | 'ready', directory: string): Promise<Health> {
  const link = await linkToWorker(directory)
  if (link instanceof Error) return { ok: false, reasons: [whyUnreached(directory, link)] }
  try {
    return await link.ask(`health.${what}`, {})
  } catch (error) {
    return { ok: false, reasons: [asError(error).message] }
  } finally {
    await link.close()
  }
}

async function noAnswer(timeout: number, text: string): Promise<Health> {
  await sleep(systemClock(), timeout)
  return {
    ok: false,
    reasons: [`no answer within ${text}: code that does not let go keeps the worker from everything`],
  }
}
