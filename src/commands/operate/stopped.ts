import { CodedError, EXIT, type ExitCode } from '../../base/coded-error.ts'
import type { Stopped } from '../../control/asked.ts'
import type { PatientLink } from '../terminal/patience.ts'

/** How a stop ended: for people, for programs, and what the command ends with. */
interface Ended {
  readonly text: string
  readonly json: { readonly stopped: true; readonly leftBehind?: readonly string[] | null }
  readonly exit: ExitCode
}

/** The most clinks that one line names. */
const NAMED = 50

/** Resolves when the worker is gone, with what it says of its end. */
export async function stopOf(link: PatientLink): Promise<Ended> {
  const ended = await link.ask('stopped', {}, Infinity).then(endOf, unsaid)
  await link.watch(link.closed)
  return ended
}

function endOf({ exit, leftBehind }: Stopped): Ended {
  const json = { stopped: true, leftBehind } as const
  if (leftBehind.length > 0) return { text: leftText(leftBehind), json, exit: EXIT.internal }
  if (exit !== EXIT.internal) return { text: 'stopped', json, exit: EXIT.ok }
  return { text: 'stopped, after a fault: its log says which', json, exit: EXIT.internal }
}

function leftText(ids: readonly string[]): string {
  const claims = ids.length === 1 ? '1 claim' : `${ids.length} claims`
  const more = ids.length > NAMED ? ` and ${ids.length - NAMED} more` : ''
  const named = `${ids.slice(0, NAMED).join(', ')}${more}`
  return `stopped, and left ${claims} behind: ${named}; such a clink comes back when its claim has run out, where the next start does not go on with it before`
}

/** It was ended before it could say so, or is of a version that does not. */
function unsaid(error: unknown): Ended {
  if (!(error instanceof CodedError)) throw error
  if (error.code === 'USAGE') return { text: 'stopped', json: { stopped: true }, exit: EXIT.ok }
  if (error.code !== 'STATE_BUSY') throw error
  const text =
    'its process was ended before it had stopped: `clink-worker state info` counts the claims that it may have left behind'
  return { text, json: { stopped: true, leftBehind: null }, exit: EXIT.internal }
}
