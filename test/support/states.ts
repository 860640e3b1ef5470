import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { openState, type State } from '../../src/journal/state.ts'
import type { DeadLetter } from '../../src/ledger/dead-letters.ts'
import type { Ledger } from '../../src/ledger/ledger.ts'
import type { Memory } from '../../src/ledger/memory.ts'
import type { HeldClaim } from '../../src/ledger/process.ts'
import { clink } from './sample-records.ts'

export type Health = string | undefined

/** @param health what `onHealth` was told, in order. */
export function open(directory: string, health: Health[] = []): State {
  return openState({ directory, sync: 'normal', onHealth: (problem) => health.push(problem) })
}

/** The journal's file as somebody else sees it: `using`. */
export function openFile(directory: string, name = 'journal.db'): DatabaseSync {
  return new DatabaseSync(join(directory, name))
}

/** Why a state cannot be opened. */
export function refusal(directory: string): { code: string; message: string } {
  try {
    open(directory).close()
  } catch (error) {
    if (error instanceof Error && 'code' in error) return { code: String(error.code), message: error.message }
    throw error
  }
  throw new Error(`${directory} could be opened`)
}

export const letter: DeadLetter = {
  clink,
  route: 'work',
  attempts: 3,
  reason: 'it failed',
  errors: ['one', 'two'],
  tell: 'release',
  at: 1_000,
}

export const claim: HeldClaim = {
  clink,
  route: 'work',
  running: true,
  releasing: false,
  boot: 'boot-1',
  sent: 1_000,
  end: 5_000,
  serverEnd: 7_000,
}

/** What is remembered of one clink. */
export async function recalled(ledger: Ledger, clinkId: string): Promise<Memory> {
  return await ledger.recallOne(clinkId)
}
