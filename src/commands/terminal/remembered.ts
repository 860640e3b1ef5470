import { CodedError } from '../../base/coded-error.ts'
import { printable } from '../../observe/printable.ts'
import type { RememberedClink } from '../../control/remembered.ts'
import type { Io } from './io.ts'
import { hasState, reachState, type StatePlace } from './reach-state.ts'

export type Remembered = ReadonlyMap<string, RememberedClink>

/** What the worker with this state directory remembers of clinks, by their ids. Where that cannot be found out, it is said. */
export async function remembered(ids: readonly string[], state: StatePlace, io: Io): Promise<Remembered> {
  if (ids.length === 0 || !hasState(state.directory)) return new Map()
  try {
    const link = await reachState(state)
    try {
      const { rows } = await link.ask('clinks.remembered', { ids })
      return new Map(rows.map((row) => [row.id, row]))
    } finally {
      await link.close()
    }
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    io.problem(`warning: dead letters are not looked at: ${printable(error.message)}`)
    return new Map()
  }
}
