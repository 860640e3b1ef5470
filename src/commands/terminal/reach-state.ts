import { chownSync, existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { sleep, systemClock, type Clock } from '../../base/clock.ts'
import { CodedError, systemCode } from '../../base/coded-error.ts'
import { tryTo } from '../../base/try-to.ts'
import { linkToWorker } from '../../control/client.ts'
import { requests, type ParamsOf, type RequestName } from '../../control/requests.ts'
import { openState, type StateOptions } from '../../journal/state.ts'
import { certain, patient, type PatientLink, type Place } from './patience.ts'
import { reachWorker } from './reach-worker.ts'

export interface StatePlace extends Pick<StateOptions, 'directory' | 'sync'>, Place {
  /** With whom its worker remembers. */
  readonly share?: () => Promise<StateOptions['share']>
  /** Only its worker is to be asked: nobody knows with whom it remembers. */
  readonly isRunning?: true
  /** Somebody wrote down where it is. */
  readonly isMeant?: boolean
}

/** How long a worker may take to start, or another command to be done, in milliseconds. */
const PATIENCE = 5_000
const PAUSE = 100

/**
 * Takes the state directory where no worker holds it, and speaks to the worker that does otherwise.
 *
 * @throws {CodedError} STATE_UNUSABLE when there is nothing; STATE_BUSY when whoever holds it does not answer.
 */
export async function reachState(state: StatePlace, clock: Clock = systemClock()): Promise<PatientLink> {
  needState(state.directory)
  return await (state.isRunning === true ? reachWorker(state) : reach(state, clock))
}

/** As `reachState`, but where there is nothing it makes what the first worker begins with, if somebody wrote down that this is the place. */
export async function reachOrMakeState(state: StatePlace): Promise<PatientLink> {
  const { directory, isMeant = false } = state
  if (!isMeant || hasState(directory)) return await reachState(state)
  const give = ownership(directory)
  const link = await reach(state, systemClock())
  const close = async (): Promise<void> => {
    await link.close()
    give()
  }
  return { ...link, isNew: true, close }
}

async function reach(state: StatePlace, clock: Clock): Promise<PatientLink> {
  const { directory } = state
  const end = clock.now() + PATIENCE
  for (;;) {
    try {
      return await openLink(state)
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== 'STATE_BUSY') throw error
      const link = await linkToWorker(directory)
      if (!(link instanceof Error)) return patient(link, state)
      // It may be about to listen, or to leave.
      if (clock.now() >= end)
        throw new CodedError('STATE_BUSY', `${error.message}; it does not answer: ${link.message}`)
      await sleep(clock, PAUSE)
    }
  }
}

/**
 * Opening would make the directory, and an empty list would hide that its name is wrong.
 *
 * @throws {CodedError} STATE_UNUSABLE when no worker has run with it, as far as this user may know.
 */
export function needState(directory: string): void {
  const missing = whyMissing(journalOf(directory))
  if (missing !== undefined) throw new CodedError('STATE_UNUSABLE', `state.directory: ${directory} ${missing}`)
}

/** Whether a worker has run with it, as far as this user may know. */
export function hasState(directory: string): boolean {
  return whyMissing(journalOf(directory)) !== NOTHING
}

/** A user who may not look must not hear that there is nothing. */
function whyMissing(file: string): string | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false }) === undefined ? NOTHING : undefined
  } catch (cause) {
    const code = systemCode(cause)
    if (code === 'EACCES') return 'may not be read by this user: run this as the user that the worker runs as'
    return `cannot be read (${code})`
  }
}

/** What root makes is for whoever owns the directory, or the first above it that there is: the worker runs as that user. */
function ownership(directory: string): () => void {
  const made = ['lock.db', 'journal.db'].map((name) => join(directory, name))
  let there = directory
  for (; !existsSync(there); there = dirname(there)) made.push(there)
  const { gid, uid } = statSync(there)
  return () => {
    if (process.getuid?.() === 0) for (const path of made) tryTo(() => chownSync(path, uid, gid))
  }
}

async function openLink({ directory, share, sync }: StatePlace): Promise<PatientLink> {
  const opened = openState({ directory, sync, share: await share?.(), visit: true, onHealth: () => {} })
  await opened.fleet?.start()
  const asked = { ledger: opened.ledger, away: () => opened.fleet?.problem, worker: undefined }
  const link = {
    ask: async <Name extends RequestName>(name: Name, params: ParamsOf<Name>) => await requests[name].by(params, asked),
    closed: new Promise(() => {}),
    close: async () => {
      await opened.fleet?.stop()
      opened.close()
    },
  }
  return certain(link, opened.fleet === undefined ? 'alone' : 'in-a-fleet')
}

function journalOf(directory: string): string {
  return join(directory, 'journal.db')
}

const NOTHING = 'holds nothing: no worker has run with it'
